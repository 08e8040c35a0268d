#include "adapters/numbers.h"

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The order in which letters got their values 10 to 35 (W and Z after Y, I and O last). */
static int
letter_value(char c)
{
    static const char letters[] = "ABCDEFGHJKLMNPQRSTUVXYWZIO";
    const char *at = c ? strchr(letters, c) : NULL;
    return at ? (int)(at - letters) + 10 : -1;
}

bool
number_national_id_ok(view text)
{
    if (text.n != 10)
        return false;
    int first = letter_value(text.p[0]);
    int second = is_digit(text.p[1]) ? text.p[1] - '0' : letter_value(text.p[1]) % 10;
    if (first < 0 || second < 0)
        return false;
    int sum = first / 10 + first % 10 * 9 + second * 8;
    for (size_t i = 2; i < 10; i++) {
        if (!is_digit(text.p[i]))
            return false;
        sum += (text.p[i] - '0') * (i == 9 ? 1 : 9 - (int)i);
    }
    return sum % 10 == 0;
}

bool
number_hospital_code_ok(view text)
{
    static const int weights[] = {9, 8, 7, 6, 5, 4, 3, 2, 1, 1};
    int sum = 0;
    if (text.n != 10)
        return false;
    for (size_t i = 0; i < 10; i++) {
        char c = text.p[i];
        if (is_digit(c))
            sum += (c - '0') * weights[i];
        else if (c >= 'A' && c <= 'Z')
            sum += (c - 'A') % 10 * weights[i];
        else
            return false;
    }
    return sum % 10 == 0;
}

bool
number_ubn_ok(view text)
{
    static const int weights[] = {1, 2, 1, 2, 1, 2, 4, 1};
    int sum = 0;
    if (text.n != 8)
        return false;
    for (size_t i = 0; i < 8; i++) {
        if (!is_digit(text.p[i]))
            return false;
        int product = (text.p[i] - '0') * weights[i];
        sum += product / 10 + product % 10;
    }
    return sum % 5 == 0 || (text.p[6] == '7' && (sum + 1) % 5 == 0);
}
