#include "relay/relay.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

Test(webhook, a_signature_holds_for_its_message_only)
{
    char folder[] = "/tmp/claimgate-webhook-XXXXXX", path[128];
    arena *mem = arena_new(1u << 20);
    struct key *k = NULL;
    view signature;
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/key", folder);
    cr_assert_eq(key_create(path, ALG_ED25519, &k, NULL), E_OK);
    cr_assert_eq(webhook_sign(k, V("evt-1"), 1700000000, V("{}"), mem, &signature), E_OK);
    cr_assert(view_starts(signature, V("v1a,")));
    cr_assert_eq(webhook_verify(k->pkey, V("evt-1"), 1700000000, V("{}"), signature, mem), E_OK);
    cr_assert_eq(webhook_verify(k->pkey, V("evt-2"), 1700000000, V("{}"), signature, mem),
                 E_SIGNATURE_MISMATCH);
    cr_assert_eq(webhook_verify(k->pkey, V("evt-1"), 1700000001, V("{}"), signature, mem),
                 E_SIGNATURE_MISMATCH);
    cr_assert_eq(webhook_verify(k->pkey, V("evt-1"), 1700000000, V("{ }"), signature, mem),
                 E_SIGNATURE_MISMATCH);
    /* during a rotation several stand in the header */
    view two = arena_printf(mem, "v1a,AAAA v1,zzzz %.*s", VIEW_ARG(signature));
    cr_assert_eq(webhook_verify(k->pkey, V("evt-1"), 1700000000, V("{}"), two, mem), E_OK);
    key_free(k);
    unlink(path);
    rmdir(folder);
    arena_free(mem);
}
