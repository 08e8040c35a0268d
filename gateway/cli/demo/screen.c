#include "cli/demo/screen.h"

#include "base/text.h"
#include "cli/command.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WIDTH_PLAIN 100

int
screen_columns(view text)
{
    int n = 0;
    for (size_t at = 0; at < text.n;) {
        uint32_t c = text_next_scalar(text, &at);
        bool wide = (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0xA4CF) ||
                    (c >= 0xAC00 && c <= 0xD7A3) || (c >= 0xF900 && c <= 0xFAFF) ||
                    (c >= 0xFE30 && c <= 0xFE6F) || (c >= 0xFF00 && c <= 0xFF60) || c >= 0x20000;
        n += wide ? 2 : 1;
    }
    return n;
}

void
screen_cell(view text, int width)
{
    while (screen_columns(text) > width) {
        text.n--;
        while (text.n && ((unsigned char)text.p[text.n] & 0xC0) == 0x80)
            text.n--;
    }
    printf("%.*s%*s", VIEW_ARG(text), width - screen_columns(text), "");
}

const char *
screen_paint(const char *code)
{
    return terminal_has_colour(STDOUT_FILENO) ? code : "";
}

void
screen_mark(bool ok)
{
    printf("  %s%s%s  ", screen_paint(ok ? "\033[32m" : "\033[31m"), ok ? "ok  " : "FAIL",
           screen_paint("\033[0m"));
}

int
screen_width(void)
{
    struct winsize size;
    bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 60;
    return known ? size.ws_col : WIDTH_PLAIN;
}
