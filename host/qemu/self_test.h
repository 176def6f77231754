#ifndef MOULT_SELF_TEST_H
#define MOULT_SELF_TEST_H

/* Called once, when an image on trial is to be judged. 0: it does not work. */
int self_test(void);

#endif
