/* chunk: 16 kHz signals as the chunks of a wave/1 stream (schemas/wave.md), in constant memory.
 *
 * A track of N samples has T = 1 + N/160 frames; frame t is centred on sample 160 t and sees samples 160t-200 ..
 * 160t+199. Chunk c of F frames covers frames Fc .. min(Fc+F, T)-1 and carries all samples that they see (the halo), so
 * that its spectrogram is that of the whole track. Only beyond the track's own two ends are samples reflected, without
 * repeating the edge (SPEC 2, 7). */
#ifndef SJ_CHUNK_H
#define SJ_CHUNK_H

#include <stdint.h>

#include "err.h"
#include "stream.h"

enum {
    SJ_CHUNK_HOP = 160,       /* samples between frames */
    SJ_CHUNK_WINDOW = 400,    /* samples that a frame sees */
    SJ_CHUNK_HALO = 200,      /* samples before a frame's centre */
    SJ_CHUNK_FRAMES = 800,    /* of a chunk by default: 8 s */
    SJ_CHUNK_SHORTEST = 201   /* samples of the shortest track that can be reflected */
};

/* A head of kind wave/1 with these classes and the parameters of this file. dims: "sample", or "pair,sample" for
 * training pairs. */
int sj_wave_head(const char *dims, int classes, const char *const *names, int64_t chunk_frames, struct sj_head **head);

struct sj_chunk {
    const float *sample; /* (samples), borrowed during the call */
    int64_t samples;     /* 160 frames + 240 */
    int64_t position;    /* first frame */
    uint32_t part;       /* c */
    int last;
};

struct sj_chunker;

/* emit is called for every chunk in order; what it returns beside SJ_OK ends the push. */
int sj_chunker_open(int64_t chunk_frames, int (*emit)(const struct sj_chunk *chunk, void *arg), void *arg,
                    struct sj_chunker **c);
int sj_chunker_push(struct sj_chunker *c, const float *sample, int64_t n);
/* The track's end: emits what is left. SJ_INPUT when the track is shorter than SJ_CHUNK_SHORTEST. c starts anew after
 * it. */
int sj_chunker_end(struct sj_chunker *c);
void sj_chunker_close(struct sj_chunker *c); /* NULL is allowed */

#endif
