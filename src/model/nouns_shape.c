/*
 * nouns_shape.c: the tables of how the packets of a nic are shaped, one for each direction.
 */
#include "model/checks.h"

/* Delays: as long as dummynet takes them. */
#define MS_MOST 10000

static const struct ja_field flow_fields[] = {
    {.name = "rate",
     .type = JA_T_RATE,
     .offset = JA_FIELD(ja_flow, rate),
     .when = JA_WHEN_LIVE,
     .least = 8000,
     .most = 100000000000,
     .doc = "bits a second at most, such as 10Mbit; 0 for no limit"},
    {.name = "burst",
     .type = JA_T_SIZE,
     .offset = JA_FIELD(ja_flow, burst),
     .when = JA_WHEN_LIVE,
     .least = 1600,
     .most = (int64_t)1 << 30,
     .doc = "bytes that may pass at once after a silence; 0 on Linux for 10 ms of the rate, on FreeBSD for none"},
    {.name = "queue",
     .type = JA_T_INT,
     .offset = JA_FIELD(ja_flow, queue),
     .when = JA_WHEN_LIVE,
     .least = 2,
     .most = 100000,
     .metavar = "PACKETS",
     .doc = "packets that wait for the rate, further ones are lost; 0 for 50 ms of the rate, and 50 at least"},
    {.name = "delay",
     .type = JA_T_DURATION,
     .offset = JA_FIELD(ja_flow, delay),
     .when = JA_WHEN_LIVE,
     .least = 1,
     .most = MS_MOST,
     .doc = "how much later each packet arrives, such as 20ms"},
    {.name = "jitter",
     .type = JA_T_DURATION,
     .offset = JA_FIELD(ja_flow, jitter),
     .when = JA_WHEN_LIVE,
     .least = 1,
     .most = MS_MOST,
     .doc =
         "by how much the delay varies, evenly to both sides, so that packets overtake each other; on FreeBSD in six "
         "steps, and with vnet=yes only"},
    {.name = "loss",
     .type = JA_T_PERCENT,
     .offset = JA_FIELD(ja_flow, loss),
     .when = JA_WHEN_LIVE,
     .least = 1,
     .most = 1000000,
     .doc = "how many of the packets are lost by chance, such as 0.5%"},
    {.name = "loss-burst",
     .type = JA_T_INT,
     .offset = JA_FIELD(ja_flow, loss_burst),
     .when = JA_WHEN_LIVE,
     .least = 1,
     .most = 10000,
     .metavar = "PACKETS",
     .doc = "how many packets are lost in a row, in the mean; 0 for each by itself; Linux, and FreeBSD since 15"},
};

static const struct ja_field shape_fields[] = {
    {.name = "in",
     .type = JA_T_OBJECT,
     .offset = JA_FIELD(ja_shape, in),
     .when = JA_WHEN_LIVE,
     .noun = &ja_noun_flow,
     .doc = "what it is sent"},
    {.name = "out",
     .type = JA_T_OBJECT,
     .offset = JA_FIELD(ja_shape, out),
     .when = JA_WHEN_LIVE,
     .noun = &ja_noun_flow,
     .doc = "what it sends"},
    {.name = "enforce",
     .type = JA_T_BOOL,
     .offset = JA_FIELD(ja_shape, enforce),
     .when = JA_WHEN_LIVE,
     .flags = JA_F_FREEBSD,
     .doc = "whether its root is kept from changing rules and pipes, by securelevel 3; on Linux it never can"},
};

const struct ja_noun ja_noun_flow =
    JA_NOUN("flow", "flows", ja_flow, flow_fields, ja_flow_check, "What happens to the packets of one direction.");
const struct ja_noun ja_noun_shape =
    JA_NOUN("shape", "shapes", ja_shape, shape_fields, NULL, "What happens to the packets of a network interface.");
