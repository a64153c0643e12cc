#pragma once
#include <libpq-fe.h>
#include <netdb.h>

/* Macros that are character literals are not imported into Swift. */
static const int postgres_diag_severity = PG_DIAG_SEVERITY_NONLOCALIZED;
static const int postgres_diag_sqlstate = PG_DIAG_SQLSTATE;
static const int postgres_diag_message = PG_DIAG_MESSAGE_PRIMARY;
static const int postgres_diag_detail = PG_DIAG_MESSAGE_DETAIL;
static const int postgres_diag_hint = PG_DIAG_MESSAGE_HINT;
static const int postgres_diag_position = PG_DIAG_STATEMENT_POSITION;
static const int postgres_diag_table = PG_DIAG_TABLE_NAME;
static const int postgres_diag_column = PG_DIAG_COLUMN_NAME;
static const int postgres_diag_constraint = PG_DIAG_CONSTRAINT_NAME;
static const int postgres_diag_function = PG_DIAG_SOURCE_FUNCTION;

/* pthread_attr_t belongs to whichever C module Swift saw first; here it stays in C. */
#include <pthread.h>
static inline int postgres_start_detached_thread(void *(*body)(void *), void *argument, size_t stack_size) {
    pthread_attr_t attributes;
    pthread_t thread;
    int code = pthread_attr_init(&attributes);
    if (code != 0) return code;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, stack_size);
    code = pthread_create(&thread, &attributes, body, argument);
    pthread_attr_destroy(&attributes);
    return code;
}
