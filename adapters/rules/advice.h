/* The motor rules asked in JSON: what one person of an accident may claim, from whom, and what is left.
 *
 * Advice: every figure comes with the number, article and day of its rule.  The shapes are those of openapi/gateway.yaml (MotorAdviceRequest,
 * MotorAdvice).  Any thread. */
#ifndef ADAPTERS_RULES_ADVICE_H
#define ADAPTERS_RULES_ADVICE_H

#include "adapters/rules/motor.h"
#include "base/arena.h"

/* E_SCHEMA, E_OUT_OF_RANGE, and what json_load answers. */
err motor_advice(view json, enum lang lang, arena *mem, view *ret_json, struct fault *f) MUST_USE;

#endif
