/* Check digits of Taiwan's numbers.  They only ever warn: real exceptions exist, and published examples fail (TAIWAN §7.4).  Pure, any thread. */
#ifndef ADAPTERS_NUMBERS_H
#define ADAPTERS_NUMBERS_H

#include "base/view.h"

/* 身分證 and new 統一證號 (letter + 9 digits), old resident numbers (2 letters + 8 digits). */
bool number_national_id_ok(view text);
/* 醫事機構代碼, 10 characters. */
bool number_hospital_code_ok(view text);
/* 統一編號, 8 digits, rule of 2023 (sum divisible by 5). */
bool number_ubn_ok(view text);

#endif
