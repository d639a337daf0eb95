/* frames: where the headers and the payloads of a stream begin, and where it ends: one offset a line.   frames FILE */
#include <inttypes.h>
#include <stdio.h>

#include "stream_frame.h"

int main(int argc, char **argv)
{
    struct sj_frame f;
    uint64_t at = 0;
    FILE *in = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (!in)
        return fputs("frames FILE\n", stderr), SJ_USAGE;
    while (fread(&f, sizeof f, 1, in) == 1) {
        size_t payload = sj_padded(f.key_bytes) + sj_padded(f.data_bytes);
        printf("%" PRIu64 "\n", at);
        if (payload)
            printf("%" PRIu64 "\n", at + SJ_FRAME_BYTES);
        at += SJ_FRAME_BYTES + payload;
        fseek(in, (long)at, SEEK_SET);
    }
    printf("%" PRIu64 "\n", at);
    fclose(in);
    return SJ_OK;
}
