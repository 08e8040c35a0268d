/* Advice by rule, for the API: a pure function of what is asked (adapters/rules/advice.h says the shapes). Any thread. */
#ifndef FLOW_ADVICE_H
#define FLOW_ADVICE_H

#include "base/arena.h"
#include "base/err.h"

err advice_motor(view json, enum lang lang, arena *mem, view *ret_json, struct fault *f) MUST_USE;

#endif
