/* One look at a filing by somebody who is no insurer.  Inside of motor_view.c and motor_photo.c.  One thread, memory from the arena. */
#ifndef FLOW_MOTOR_VIEW_H
#define FLOW_MOTOR_VIEW_H

#include "adapters/view.h"
#include "flow/case/case.h"
#include "flow/motor/motor.h"

struct motor_look {
    struct gateway *g;
    arena *mem;
    struct fault *f;
    partner_id by;
    const struct person_caller *person; /* NULL: none */
    enum lang lang;
    instant now;
    struct registry *registry;
    struct reader *r;
    const struct partner *who;
    struct row_permission *permissions;
    struct loaded_case c;
    enum view_kind view; /* VIEW_COUNT: an insurer, which has its claims' views */
    bool all;            /* the owner himself */
    digest owner;
    view subject, recipient; /* local ids in the folded case */
};

/* Who is asking, the papers that he may see, folded.  E_NOT_FOUND. */
err motor_look_open(struct motor_look *l, case_id id) MUST_USE;
err motor_look_project(struct motor_look *l, view *ret) MUST_USE;
void motor_look_done(struct motor_look *l);

#endif
