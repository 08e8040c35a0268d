#include "adapters/rules/relay.h"

static const struct relay_rule rules[] = {
#define RELAY_RULE(number, since, above, days, en, zh) {number, since, above, days, {en, zh}},
#include "adapters/rules/relay.def"
#undef RELAY_RULE
};

static const char *const lines[] = {
#define RELAY_LINE(line) #line,
#include "adapters/rules/relay.def"
#undef RELAY_LINE
};

const struct relay_rule *
relay_rule_on(date on)
{
    const struct relay_rule *best = NULL;
    int32_t day = on.year * 10000 + on.month * 100 + on.day;
    for (size_t i = 0; i < COUNT_OF(rules); i++)
        if (rules[i].since <= day && (!best || rules[i].since > best->since))
            best = &rules[i];
    return best;
}

bool
relay_has_line(view line)
{
    for (size_t i = 0; i < COUNT_OF(lines); i++)
        if (view_eq(line, view_of(lines[i])))
            return true;
    return false;
}
