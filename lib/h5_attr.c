/* Attributes: one number or one text each. */
#include "h5_own.h"

#include <stdlib.h>
#include <string.h>

int sj_h5_has_attr(struct sj_h5 *h, const char *path, const char *name)
{
    return (!strcmp(path, "/") || sj_h5_has(h, path)) && H5Aexists_by_name(h->file, path, name, H5P_DEFAULT) > 0;
}

struct listing {
    int (*visit)(const char *name, void *arg);
    void *arg;
    int result;
};

static herr_t visit_attr(hid_t object, const char *name, const H5A_info_t *info, void *arg)
{
    struct listing *l = arg;
    (void)object, (void)info;
    l->result = l->visit(name, l->arg);
    return l->result != 0;
}

int sj_h5_list_attrs(struct sj_h5 *h, const char *path, int (*visit)(const char *name, void *arg), void *arg)
{
    sj_h5_quiet();
    struct listing l = {visit, arg, 0};
    hsize_t at = 0;
    herr_t e = H5Aiterate_by_name(h->file, path, H5_INDEX_NAME, H5_ITER_INC, &at, visit_attr, &l, H5P_DEFAULT);
    return e < 0 && !l.result ? sj_h5_bad(h, path, "has attributes that cannot be listed") : l.result;
}

static int ensure_group(struct sj_h5 *h, const char *path)
{
    if (!strcmp(path, "/") || sj_h5_has(h, path))
        return SJ_OK;
    hid_t links = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    hid_t g = H5Gcreate2(h->file, path, links, H5P_DEFAULT, H5P_DEFAULT);
    H5Pclose(links);
    if (g < 0)
        return sj_h5_refused(h, path);
    H5Gclose(g);
    return SJ_OK;
}

static int set(struct sj_h5 *h, const char *path, const char *name, enum sj_h5_type type, const void *value)
{
    sj_h5_quiet();
    int status = ensure_group(h, path);
    if (status)
        return status;
    if (sj_h5_has_attr(h, path, name))
        H5Adelete_by_name(h->file, path, name, H5P_DEFAULT);
    hid_t t = sj_h5_memory_type(type), space = H5Screate(H5S_SCALAR);
    hid_t a = H5Acreate_by_name(h->file, path, name, t, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    if (a < 0 || H5Awrite(a, t, value) < 0)
        status = sj_h5_refused(h, path);
    H5Aclose(a);
    H5Sclose(space);
    H5Tclose(t);
    return status;
}

int sj_h5_set_int(struct sj_h5 *h, const char *path, const char *name, int64_t value)
{
    return set(h, path, name, SJ_H5_I64, &value);
}

int sj_h5_set_real(struct sj_h5 *h, const char *path, const char *name, double value)
{
    return set(h, path, name, SJ_H5_F64, &value);
}

int sj_h5_set_text(struct sj_h5 *h, const char *path, const char *name, const char *value)
{
    return set(h, path, name, SJ_H5_TEXT, &value);
}

static int wrong(struct sj_h5 *h, const char *path, const char *name, const char *why)
{
    return sj_fail(SJ_INPUT, "'%s': attribute '%s' of '%s' %s", h->path, name, path, why);
}

/* Opens an attribute that holds one element; both ids belong to the caller. */
static int open_attr(struct sj_h5 *h, const char *path, const char *name, hid_t *attr, hid_t *type)
{
    sj_h5_quiet();
    if (!sj_h5_has_attr(h, path, name))
        return sj_fail(SJ_INPUT, "'%s' has no attribute '%s' of '%s'", h->path, name, path);
    if ((*attr = H5Aopen_by_name(h->file, path, name, H5P_DEFAULT, H5P_DEFAULT)) < 0)
        return wrong(h, path, name, "cannot be read");
    hid_t space = H5Aget_space(*attr);
    hssize_t n = H5Sget_simple_extent_npoints(space);
    H5Sclose(space);
    if (n != 1) {
        H5Aclose(*attr);
        return wrong(h, path, name, "is not one value");
    }
    *type = H5Aget_type(*attr);
    return SJ_OK;
}

static int get_number(struct sj_h5 *h, const char *path, const char *name, int real, enum sj_h5_type as, void *value)
{
    hid_t a, have;
    int status = open_attr(h, path, name, &a, &have);
    if (status)
        return status;
    H5T_class_t class = H5Tget_class(have);
    hid_t t = sj_h5_memory_type(as);
    if (class != H5T_INTEGER && !(real && class == H5T_FLOAT))
        status = wrong(h, path, name, real ? "is not a number" : "is not an integer");
    else if (H5Aread(a, t, value) < 0)
        status = wrong(h, path, name, "cannot be read");
    H5Tclose(t);
    H5Tclose(have);
    H5Aclose(a);
    return status;
}

int sj_h5_get_int(struct sj_h5 *h, const char *path, const char *name, int64_t *value)
{
    return get_number(h, path, name, 0, SJ_H5_I64, value);
}

int sj_h5_get_real(struct sj_h5 *h, const char *path, const char *name, double *value)
{
    return get_number(h, path, name, 1, SJ_H5_F64, value);
}

int sj_h5_get_text(struct sj_h5 *h, const char *path, const char *name, char **value)
{
    hid_t a, have;
    int status = open_attr(h, path, name, &a, &have);
    if (status)
        return status;
    int variable = H5Tis_variable_str(have) > 0;
    size_t width = variable ? sizeof(char *) : H5Tget_size(have) + 1;
    hid_t t = H5Tcopy(H5T_C_S1);
    H5Tset_size(t, variable ? H5T_VARIABLE : width);
    H5Tset_cset(t, H5Tget_cset(have));
    char *raw = width < (size_t)1 << 20 ? calloc(1, width) : NULL, *got = NULL;
    if (H5Tget_class(have) != H5T_STRING)
        status = wrong(h, path, name, "is not text");
    else if (!raw)
        status = sj_fail(SJ_SYSTEM, "no memory for an attribute of '%s'", h->path);
    else if (H5Aread(a, t, variable ? (void *)&got : raw) < 0)
        status = wrong(h, path, name, "cannot be read");
    else if (!(*value = strdup(variable ? got ? got : "" : raw)))
        status = sj_fail(SJ_SYSTEM, "no memory for an attribute of '%s'", h->path);
    if (got)
        H5free_memory(got);
    free(raw);
    H5Tclose(t);
    H5Tclose(have);
    H5Aclose(a);
    return status;
}
