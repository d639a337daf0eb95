/* folder: where a test program has its files: `dir`, which it makes with mkdtemp(dir), and paths in it. */
#ifndef TESTS_FOLDER_H
#define TESTS_FOLDER_H

#include <stdio.h>
#include <stdlib.h>

static char dir[] = "/tmp/sj-test-XXXXXX";

/* The path of a name in it; valid until eight others are made. */
static char *in_dir(const char *name)
{
    static char path[8][300];
    static int turn;
    turn = (turn + 1) % 8;
    snprintf(path[turn], sizeof path[turn], "%s/%s", dir, name);
    return path[turn];
}

#endif
