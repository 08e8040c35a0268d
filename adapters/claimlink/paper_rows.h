/* Include helper: paper.def's shapes with all kinds of rows as ROW(m, kind, need, arg, least, most, text).  Who includes it defines SHAPE, END and ROW, which are
 * undefined at the end. */
#define TEXT(o, m, need, least, most, text) ROW(m, TEXT, need, 0, least, most, text)
#define WORD(o, m, need, list, text) ROW(m, WORD, need, PAPER_WORDS_##list, 0, 0, text)
#define INT(o, m, need, least, most, text) ROW(m, INT, need, 0, least, most, text)
#define INTS(o, m, need, most, text) ROW(m, INTS, need, 0, 1, most, text)
#define DECIMAL(o, m, need, text) ROW(m, AMOUNT, need, 0, 0, 0, text)
#define AMOUNT(o, m, need, text) ROW(m, AMOUNT, need, 0, 0, 0, text)
#define BOOL(o, m, need, text) ROW(m, BOOL, need, 0, 0, 0, text)
#define DATE(o, m, need, text) ROW(m, DATE, need, 0, 0, 0, text)
#define TIME(o, m, need, text) ROW(m, TIME, need, 0, 0, 0, text)
#define ONE(o, m, need, shape, text) ROW(m, ONE, need, SHAPE_##shape, 0, 0, text)
#define LIST(o, m, need, shape, most, text) ROW(m, LIST, need, SHAPE_##shape, 1, most, text)
#include "adapters/claimlink/paper.def"
#undef TEXT
#undef WORD
#undef INT
#undef INTS
#undef DECIMAL
#undef AMOUNT
#undef BOOL
#undef DATE
#undef TIME
#undef ONE
#undef LIST
#undef SHAPE
#undef END
#undef ROW
