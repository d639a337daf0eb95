/* model: the hyper-parameters and weights of a Stem-JEPA model (SPEC 1, 4, 5), and the file that holds them.
 *
 * All tensors of the context encoder and the predictor lie in one arena, encoder first; the target encoder (the moving
 * average of the context encoder) has an arena of its own with the encoder's layout. Every tensor starts at a multiple
 * of 64 bytes; the gaps are zero and stay so under the optimiser. Tensors are named as in the paper's state dict:
 * "encoder/blocks.0.attn.qkv.weight", "predictor/norm.bias"; the target's are the encoder's.
 *
 * File (schemas/model.md): datasets /encoder/..., /target/..., /predictor/... of the paper's shapes, /classes (text),
 * and every hyper-parameter as an attribute of /. */
#ifndef SJ_MODEL_H
#define SJ_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "json.h"
#include "mel.h"
#include "stream.h"

/* The values are part of models' ids. mlp_film: the class scales and shifts what every hidden layer makes. */
enum sj_predictor { SJ_PREDICTOR_MLP, SJ_PREDICTOR_MLP_NONE, SJ_PREDICTOR_TRANSFORMER, SJ_PREDICTOR_MLP_FILM };
extern const char *const sj_predictor_names[]; /* "mlp", "mlp_none", "transformer", "mlp_film", NULL */
extern const char *const sj_size_names[];      /* "tiny", "small", "base", "large", NULL */

enum { SJ_CLASS_BYTES = 64 }; /* a class name with its NUL */

struct sj_config {
    int64_t dim, depth, heads;             /* encoder: D, blocks, H */
    int64_t mlp_ratio, patch;              /* 4, 16 (mel bands and frames) */
    int64_t frequencies, times;            /* grid of patches: F = 5, T = 50 (8 s) */
    enum sj_predictor predictor;
    int64_t hidden, layers;                /* MLP predictor: 1024, 6 linear layers */
    int64_t trf_dim, trf_depth, trf_heads; /* transformer predictor: 512, 8, 16 */
    int64_t rotary;                        /* 1: rotary positions instead of those that are added */
    int64_t condition;                     /* width of the vectors that say the classes; 0: a table is learnt */
    int64_t classes;
    char class_name[SJ_CLASSES][SJ_CLASS_BYTES];
    struct sj_mel_settings mel;
};

/* ViT-Base with the conditioned MLP predictor, four classes (bass, drums, other, vocals), the paper's mel front end. */
struct sj_config sj_config_defaults(void);
/* dim, depth and heads of a named size: index into sj_size_names. */
void sj_config_size(struct sj_config *c, int size);
/* SJ_USAGE with "hyper-parameter 'NAME' is ..." when a value is out of range or two do not fit together. */
int sj_config_check(const struct sj_config *c);
/* Every hyper-parameter as a member of a new JSON object, and back (then checked): SJ_INPUT when absent or off. */
sj_json *sj_config_to_json(const struct sj_config *c);
int sj_config_from_json(const sj_json *json, struct sj_config *c);
/* Takes over n class names; SJ_INPUT when there are too many, or one is empty, too long or twice there. */
int sj_config_set_classes(struct sj_config *c, int64_t n, const char *const *names);
/* The index of a class by name, or SJ_CLASS_NONE. */
int sj_config_class(const struct sj_config *c, const char *name);

/* How a tensor starts, uniform in +-bound, normal (0, 1), or constant. */
enum sj_init { SJ_INIT_ZERO, SJ_INIT_ONE, SJ_INIT_UNIFORM, SJ_INIT_NORMAL };

struct sj_tensor {
    char name[80];     /* "encoder/blocks.11.attn.qkv.weight" */
    int rank;
    int64_t dims[4];
    size_t count;      /* elements */
    size_t offset;     /* of the first element in the arena, in elements; a multiple of 16 */
    enum sj_init init;
    float bound;
};

struct sj_layout {
    int tensors, encoder_tensors; /* the encoder's come first */
    size_t total, encoder;        /* elements of the whole arena, and of its encoder part */
    size_t trained;               /* elements that training changes: all but the classes' vectors, which come last */
    struct sj_tensor *tensor;     /* owned */
};

int sj_layout_new(const struct sj_config *c, struct sj_layout *layout); /* c must have passed sj_config_check */
void sj_layout_free(struct sj_layout *layout);
/* The index of a tensor by name, or -1. */
int sj_tensor_find(const struct sj_layout *layout, const char *name);

struct sj_model {
    struct sj_config config;
    struct sj_layout layout;
    float *weights; /* layout.total elements: encoder, predictor */
    float *target;  /* layout.encoder elements */
    char *training; /* JSON text saying how it was trained, or NULL; owned */
    char id[17];    /* hash of hyper-parameters and weights, hex; embeddings carry it. See sj_model_identify */
};

/* A model with every weight as SPEC 4 says, drawn from `seed`; the target equals the encoder. */
int sj_model_new(const struct sj_config *c, uint64_t seed, struct sj_model **m);
/* As sj_model_new with all weights 0, for a caller who fills them. */
int sj_model_blank(const struct sj_config *c, struct sj_model **m);
void sj_model_free(struct sj_model *m); /* NULL is allowed */
/* Computes id from the present weights. */
void sj_model_identify(struct sj_model *m);

/* Reads a model file. SJ_INPUT naming file and tensor when one is missing, unknown, misshapen or not finite, when a
 * hyper-parameter is missing or out of range, or when the stored id (if any) is not that of the weights. */
int sj_model_read(const char *path, struct sj_model **m);
/* Writes a model file, whole or not at all; sets id. */
int sj_model_write(const char *path, struct sj_model *m);
/* The same for a model that is passed around: its weights rounded to bf16 (about three decimal digits, which is what they are
 * multiplied in anyway) and the file compressed, to less than two bytes a weight. */
int sj_model_write_small(const char *path, struct sj_model *m);
/* Rounds every weight to the nearest bf16. */
void sj_model_round(struct sj_model *m);

/* path (size bytes) = what to read: that of -m (NULL: not given), else $SJ_MODEL, else model.h5 in the data directory,
 * where none is installed with the programs. SJ_USAGE, saying how to get one, when there is none. */
int sj_model_path(const char *option, char *path, size_t size);

/* SJ_INPUT naming both lists unless the classes of a stream or data set (n names; 0: carries none) are the model's. */
int sj_model_want_classes(const struct sj_config *c, const char *model_name, int n, const char *const *names,
                          const char *data_name);

#endif
