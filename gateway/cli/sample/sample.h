/* Signed samples: what sample, demo and bench share. */
#ifndef CLI_SAMPLE_H
#define CLI_SAMPLE_H

#include "adapters/hospital/sample.h"
#include "cli/command.h"

/* A header line with a line feed: "X-JWS-Signature: …" or "AUTH: …", by the signer's key in the sandbox PKI. */
err sample_sign(const char *pki, const struct sample_document *d, arena *mem, view *ret_header,
                struct fault *f) MUST_USE;

#endif
