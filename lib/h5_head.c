/* h5_head: see h5_head.h. */
#include "h5_head.h"
#include "json.h"

#include <stdlib.h>
#include <string.h>

int sj_h5_set_head(struct sj_h5 *h, const char *name, const struct sj_head *head)
{
    sj_json *json = NULL;
    char *text = NULL;
    int status = sj_head_to_json(head, &json);
    if (!status)
        status = sj_json_text(json, &text);
    if (!status)
        status = sj_h5_set_text(h, "/", name, text);
    free(text);
    sj_json_free(json);
    return status;
}

int sj_h5_get_head(struct sj_h5 *h, const char *name, struct sj_head **head)
{
    char *text = NULL;
    sj_json *json = NULL;
    int status = sj_h5_get_text(h, "/", name, &text);
    if (!status)
        status = sj_json_parse(text, strlen(text), &json);
    if (!status)
        status = sj_head_from_json(json, head);
    sj_json_free(json);
    free(text);
    return status ? sj_fail_at(status, "attribute '%s'", name) : SJ_OK;
}
