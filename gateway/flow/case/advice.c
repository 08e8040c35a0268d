#include "flow/case/advice.h"

#include "adapters/rules/advice.h"

err
advice_motor(view json, enum lang lang, arena *mem, view *ret_json, struct fault *f)
{
    return motor_advice(json, lang, mem, ret_json, f);
}
