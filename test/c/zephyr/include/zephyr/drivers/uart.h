/* Stands for Zephyr's header of the same name. */
#ifndef FAKE_UART_H
#define FAKE_UART_H

struct device;

int uart_poll_in(const struct device *dev, unsigned char *p_char);
void uart_poll_out(const struct device *dev, unsigned char out_char);

#endif
