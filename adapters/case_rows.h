/* Includes case.def with the macros that the includer has defined and with all others empty, then forgets
 * them all.  So a use names only the rows that it cares for.  No include guard: it is included once per
 * use. */
/* clang-format off */
#ifndef VALUE
#define VALUE(o)
#endif
#ifndef OBJECT
#define OBJECT(o)
#endif
#ifndef ELEMENT
#define ELEMENT(o)
#endif
#ifndef END
#define END(o)
#endif
#ifndef ROOT
#define ROOT()
#endif
#ifndef ROOT_END
#define ROOT_END()
#endif
#ifndef TEXT
#define TEXT(o, m, need, class, group)
#endif
#ifndef WORD
#define WORD(o, m, need, class, group, list)
#endif
#ifndef POINTER
#define POINTER(o, m, need, class, group)
#endif
#ifndef REF
#define REF(o, m, need, targets)
#endif
#ifndef BOOL
#define BOOL(o, m, need, class, group)
#endif
#ifndef INT
#define INT(o, m, need, class, group)
#endif
#ifndef DECIMAL
#define DECIMAL(o, m, need, class, group)
#endif
#ifndef DATE
#define DATE(o, m, need, class, group)
#endif
#ifndef TIME
#define TIME(o, m, need, class, group)
#endif
#ifndef TEXTS
#define TEXTS(o, m, need, class, group)
#endif
#ifndef REFS
#define REFS(o, m, need, targets)
#endif
#ifndef PUT
#define PUT(o, m, need, class, group, t)
#endif
#ifndef PUTS
#define PUTS(o, m, need, class, group, t)
#endif
#ifndef ONE
#define ONE(o, m, need, t)
#endif
#ifndef LIST
#define LIST(o, m, need, t, prefix)
#endif
#ifndef ROOT_ONE
#define ROOT_ONE(m, need, t)
#endif
#ifndef ROOT_LIST
#define ROOT_LIST(m, need, t, prefix)
#endif

#include "adapters/case.def"

#undef GROUP
#undef WORDS
#undef VALUE
#undef OBJECT
#undef ELEMENT
#undef END
#undef ROOT
#undef ROOT_END
#undef TEXT
#undef WORD
#undef POINTER
#undef REF
#undef BOOL
#undef INT
#undef DECIMAL
#undef DATE
#undef TIME
#undef TEXTS
#undef REFS
#undef PUT
#undef PUTS
#undef ONE
#undef LIST
#undef ROOT_ONE
#undef ROOT_LIST
