/* What menuconfig would have written; the rest is in CMakeLists.txt. */
#ifndef SDKCONFIG_H
#define SDKCONFIG_H

#define CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE 1
#define CONFIG_MOULT_INSECURE_HTTP 1
#define CONFIG_MOULT_SHA_ACCELERATOR 1
#define CONFIG_MOULT_CHECK_WITHOUT_CLOCK 3600
#define CONFIG_MOULT_TASK_STACK 12288
#define CONFIG_MOULT_TASK_PRIORITY 3
#ifndef CONFIG_MOULT_WASM3_MEMORY
#define CONFIG_MOULT_WASM3_MEMORY 131072
#endif

#define CONFIG_EXAMPLE_WIFI_SSID "network"
#define CONFIG_EXAMPLE_WIFI_PASSWORD "password"

/* The server of a test listens where there is room. */
extern const char *fake_metadata_url;
extern const char *fake_targets_url;
#define CONFIG_MOULT_METADATA_URL fake_metadata_url
#define CONFIG_MOULT_TARGETS_URL fake_targets_url
extern const char *fake_director_url;
extern const char *fake_time_servers;
#define CONFIG_MOULT_DIRECTOR_URL fake_director_url
#define CONFIG_MOULT_TIME_SERVERS fake_time_servers

#endif
