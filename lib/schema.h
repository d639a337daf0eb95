/* schema: what each kind of record must look like (schemas/wave.md, mel.md, embeddings.md). */
#ifndef SJ_SCHEMA_H
#define SJ_SCHEMA_H

#include "stream.h"

/* SJ_INPUT unless the head's kind is known and its dims, element type and parameters are what the schema asks for. */
int sj_schema_check(const struct sj_head *head);

/* SJ_INPUT unless the shape of a record under a checked head is possible: whole frames, the number of bands. */
int sj_schema_check_record(const struct sj_head *head, const struct sj_record *record);

#endif
