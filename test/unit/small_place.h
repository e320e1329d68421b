/* A place of a few megabytes for tests, made by formulas: each texel's colour tells its
 * direction. Built by the tool that builds the real ones. */
#ifndef TEST_UNIT_SMALL_PLACE_H
#define TEST_UNIT_SMALL_PLACE_H

/* Writes it to a new file, whose path is kept in `ret` (256 bytes). */
void small_place(char *ret);

#define SMALL_EYE_Z 6.0
#define SMALL_TREE_PAN 60.0 /* degrees; leaves 20 m away, 10 degrees round, -5…5 up */
#define SMALL_WALL_M 30.0   /* where the ground ends */
#define SMALL_SKY_TILT 3.0  /* the wall's upper border */
#define SMALL_SQUARE 4.0    /* degrees: the wall is chequered */

#endif
