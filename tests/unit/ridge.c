/* The linear map against its definition: the normal equations hold, the leave-one-out error is that of fits that leave
 * one pair out, and the moments of parts are those of the whole. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ridge.h"
#include "rng.h"
#include "statistics.h"
#include "../tap.h"

enum { N = 40, X = 7, Y = 3 };

static float x[N][X], y[N][Y];

static void draw(void)
{
    struct sj_rng r = sj_rng(5, 0);
    sj_rng_normal(&r, &x[0][0], N * X);
    sj_rng_normal(&r, &y[0][0], N * Y);
    for (int i = 0; i < N; i++) {
        x[i][1] = 30 * x[i][1] + 400; /* other scales */
        x[i][4] = 2.5f;               /* does not vary */
        for (int j = 0; j < Y; j++)
            y[i][j] += (j == 1 ? 0.01f : 0.3f) * x[i][j] + 3;
    }
}

struct room {
    double mean[X], scale[X], offset[Y], weight[X][Y];
};

static int fit(double ridge, struct room *room, struct sj_ridge *r)
{
    *r = (struct sj_ridge){.mean = room->mean, .scale = room->scale, .offset = room->offset, .weight = &room->weight[0][0]};
    return sj_ridge_fit(N, X, Y, &x[0][0], &y[0][0], ridge, r);
}

static double standard(const struct room *m, int i, int a)
{
    return (x[i][a] - m->mean[a]) / m->scale[a];
}

static double residual(const struct room *m, int i, int j)
{
    double p = m->offset[j];
    for (int a = 0; a < X; a++)
        p += standard(m, i, a) * m->weight[a][j];
    return y[i][j] - p;
}

/* The largest value of the derivative of the penalised error, for each weight, over that of the weights alone. */
static double slope(const struct room *m, double ridge)
{
    double worst = 0;
    for (int a = 0; a < X; a++)
        for (int j = 0; j < Y; j++) {
            double g = ridge * N * m->weight[a][j];
            for (int i = 0; i < N; i++)
                g -= standard(m, i, a) * residual(m, i, j);
            worst = fmax(worst, fabs(g));
        }
    return worst;
}

/* The squared error of pair `out` when it is left out, by elimination in its own normal equations: scale, mean and penalty
 * of all pairs, the offset and weights of the others. */
static double left_out(const struct room *m, double ridge, int out)
{
    enum { S = X + 1 };
    double a[S][S + Y] = {{0}}, error = 0;
    for (int i = 0; i < N; i++) {
        double z[S];
        for (int k = 0; k < X; k++)
            z[k] = standard(m, i, k);
        z[X] = 1;
        for (int k = 0; k < S && i != out; k++) {
            for (int l = 0; l < S; l++)
                a[k][l] += z[k] * z[l];
            for (int j = 0; j < Y; j++)
                a[k][S + j] += z[k] * (double)y[i][j];
        }
    }
    for (int k = 0; k < X; k++)
        a[k][k] += ridge * N;
    for (int k = 0; k < S; k++)
        for (int l = 0; l < S; l++) {
            double f = l == k ? 0 : a[l][k] / a[k][k];
            for (int c = k; c < S + Y && l != k; c++)
                a[l][c] -= f * a[k][c];
        }
    for (int j = 0; j < Y; j++) {
        double p = a[X][S + j] / a[X][X];
        for (int k = 0; k < X; k++)
            p += standard(m, out, k) * a[k][S + j] / a[k][k];
        error += (y[out][j] - p) * (y[out][j] - p);
    }
    return error;
}

static void test_map(double ridge)
{
    struct room m;
    struct sj_ridge r;
    double error = 0;
    ok(fit(ridge, &m, &r) == SJ_OK, "a map with the penalty %g", ridge);
    ok(slope(&m, r.ridge) < 1e-9 * N, "has the least error: the slope is %.1e", slope(&m, r.ridge));
    for (int i = 0; i < N; i++)
        error += left_out(&m, r.ridge, i) / (N * Y);
    ok(fabs(error - r.error) < 1e-9 * error, "its leave-one-out error %.9g is that of maps without each pair, %.9g", r.error,
       error);
    ok(m.scale[4] == 1 && m.weight[4][0] == 0, "an input that does not vary has no weight");
}

static void test_choice(void)
{
    struct room m;
    struct sj_ridge best, other;
    int good = fit(0, &m, &best) == SJ_OK;
    for (int i = -12; i <= 6 && good; i++)
        good = fit(pow(10, i / 2.0), &m, &other) == SJ_OK && best.error <= other.error;
    ok(good, "the penalty that is chosen, %g, has the least leave-one-out error", best.ridge);
}

static void test_moments(void)
{
    enum { T = 300, BANDS = 3 };
    static float mel[BANDS][T];
    struct sj_rng r = sj_rng(6, 0);
    struct sj_moments parts[BANDS] = {{0}}, whole[BANDS] = {{0}};
    sj_rng_normal(&r, &mel[0][0], BANDS * T);
    for (int t = 0; t < T; t++)
        mel[1][t] = 1000 + 1e-3f * mel[1][t];
    const int from[] = {0, 1, 100, 299, T};
    for (int i = 0; i < 4; i++)
        sj_moments_rows(BANDS, from[i + 1] - from[i], T, &mel[0][from[i]], parts);
    sj_moments_rows(BANDS, T, T, &mel[0][0], whole);
    for (int b = 0; b < BANDS; b++) {
        double mean = 0, squares = 0;
        for (int t = 0; t < T; t++)
            mean += (double)mel[b][t] / T;
        for (int t = 0; t < T; t++)
            squares += (mel[b][t] - mean) * (mel[b][t] - mean);
        ok(fabs(parts[b].mean - mean) < 1e-9 * (1 + fabs(mean)) && fabs(parts[b].deviation - squares) < 1e-6 * squares
               && fabs(whole[b].deviation - squares) < 1e-6 * squares && parts[b].n == T,
           "band %d: the moments of four parts are those of the whole", b);
    }
}

int main(void)
{
    struct room m;
    struct sj_ridge r;
    draw();
    test_map(1e-3);
    test_map(0.5);
    test_choice();
    test_moments();
    x[3][2] = 1e30f;
    y[3][0] = 3e38f;
    is_int(fit(1, &m, &r), SJ_OK, "large values are fitted in double");
    return done();
}
