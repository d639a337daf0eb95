/* pieces: files of symbolic music, as found under the operands of a command. */
#ifndef SJ_PIECES_H
#define SJ_PIECES_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "title.h"

enum { SJ_PIECE_BYTES = 16 << 20 /* largest file that is read */ };

struct sj_piece {
    char *path;
    char *key;     /* the file's name without ending, a dot and 8 hexadecimal digits of its hash */
    char title[SJ_TITLE];
    enum sj_split split;
    uint64_t hash; /* of the bytes; 0 where they cannot be read */
    int is_midi;   /* by its first bytes; else it may be a module */
    char *reason;  /* why it cannot be used, or NULL */
};

struct sj_pieces {
    int64_t n, room;
    struct sj_piece *piece;
};

/* Reads a file of at most SJ_PIECE_BYTES: *data is the caller's. SJ_INPUT (without the name), SJ_SYSTEM. */
int sj_piece_read(const char *path, void **data, size_t *size);

/* The files named, and those in the folders named, at any depth, by byte value; what begins with a dot is passed over.
 * A file with the same bytes as one before it has that as its reason. SJ_SYSTEM: an operand is not there. */
int sj_pieces_find(int n, const char *const *operands, double held_out, struct sj_pieces *p);
void sj_pieces_free(struct sj_pieces *p);

#endif
