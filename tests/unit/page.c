/* Pages: what is put into them stays data. */
#include "page.h"

#include <stdlib.h>

#include "tests/tap.h"

static char *text;
static size_t size;

static FILE *begin(void)
{
    free(text);
    return open_memstream(&text, &size);
}

static void html(const char *in, const char *want, const char *name)
{
    FILE *f = begin();
    sj_page_text(f, in);
    fclose(f);
    is_text(text, want, name);
}

static void base64(const char *in, const char *want)
{
    FILE *f = begin();
    sj_page_base64(f, in, strlen(in));
    fclose(f);
    is_text(text, want, want);
}

int main(void)
{
    html("a <b> & \"c\" 'd'\n", "a &#60;b&#62; &#38; &#34;c&#34; &#39;d&#39;\n", "markup");
    html("\xc3\xa9\xe2\x82\xac\xf0\x9f\x8e\xb5", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x8e\xb5", "UTF-8");
    html("\xe9 \xc0\xaf \xed\xa0\x80 \xf4\x90\x80\x80 \xe2\x82", "\xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd "
         "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd",
         "bytes that are none");
    html("\x01\x7f\t", "\xef\xbf\xbd\xef\xbf\xbd\t", "control characters");
    base64("", "");
    base64("f", "Zg==");
    base64("fo", "Zm8=");
    base64("foo", "Zm9v");
    base64("foobar\xff\xfe", "Zm9vYmFy//4=");

    sj_json *o = sj_json_object();
    sj_json_set(o, "k", sj_json_string("</script><!--"));
    FILE *f = begin();
    ok(!sj_page_json(f, "data", o), "data");
    fclose(f);
    is_text(text, "<script type=\"application/json\" id=\"data\">{\"k\":\"\\u003c/script>\\u003c!--\"}</script>\n",
            "does not end its element");
    f = begin();
    ok(sj_page_write(f, "no such page", NULL, NULL) == SJ_SYSTEM && strstr(sj_reason(), "no such page.html"),
       "no template: %s", sj_reason());
    fclose(f);
    sj_json_free(o);
    free(text);
    return done();
}
