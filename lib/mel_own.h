/* mel_own: what the files of the mel front end share. */
#ifndef SJ_MEL_OWN_H
#define SJ_MEL_OWN_H

#include "mel.h"
#include "sjk.h"

struct sj_mel_tables {
    struct sjk_filterbank bank;
    int32_t *range;  /* first, count, offset of each band */
    float *weight;   /* of the bank: `weights` of them */
    int weights;
    float *window;   /* (fft) periodic Hann */
};

/* On failure too, sj_mel_tables_free is due. */
int sj_mel_tables_new(const struct sj_mel_settings *s, struct sj_mel_tables *t);
void sj_mel_tables_free(struct sj_mel_tables *t);

#endif
