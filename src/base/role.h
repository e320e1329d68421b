/* Who may do what: the groups a user is in, and the least role a row asks for.
 *
 * Used by parameter rows and by endpoint rows alike, so that one word means one
 * thing at every door. Immutable values; any thread. */
#ifndef BASE_ROLE_H
#define BASE_ROLE_H

#include <stdbool.h>

enum group {
    GROUP_VIEWER = 1 << 0,
    GROUP_OPERATOR = 1 << 1,
    GROUP_ADMIN = 1 << 2,
    GROUP_PTZ = 1 << 3,
};

/* The least that is needed. ROLE_USER is anybody who is logged in. ROLE_SYSTEM
 * is nobody outside the camera. */
enum role {
    ROLE_NONE, /* unset in a table row; a row with it is refused at start */
    ROLE_ANYONE,
    ROLE_USER,
    ROLE_VIEWER,
    ROLE_PTZ, /* viewer with the ptz right */
    ROLE_OPERATOR,
    ROLE_ADMIN,
    ROLE_SYSTEM,
};

/* groups: OR of enum group; 0 is a stranger. */
static inline bool role_allows(enum role need, unsigned groups)
{
    switch (need) {
    case ROLE_ANYONE:
        return true;
    case ROLE_USER:
        return groups != 0;
    case ROLE_VIEWER:
        return groups & (GROUP_VIEWER | GROUP_OPERATOR | GROUP_ADMIN);
    case ROLE_PTZ:
        return groups & GROUP_PTZ;
    case ROLE_OPERATOR:
        return groups & (GROUP_OPERATOR | GROUP_ADMIN);
    case ROLE_ADMIN:
        return groups & GROUP_ADMIN;
    case ROLE_NONE:
    case ROLE_SYSTEM:
        break;
    }
    return false;
}

#endif
