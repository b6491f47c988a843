// Stands for NVIDIA's management library: one device, whose memory clock cannot be read.
#include <cstring>

extern "C" {

int nvmlInit_v2() {
  return 0;
}
int nvmlShutdown() {
  return 0;
}
int nvmlSystemGetNVMLVersion(char* version, unsigned bytes) {
  std::strncpy(version, "13.580.65", bytes);
  return 0;
}
int nvmlDeviceGetCount_v2(unsigned* count) {
  *count = 1;
  return 0;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void** device) {
  static int handle;
  if (index != 0) return 2;
  *device = &handle;
  return 0;
}
int nvmlDeviceGetHandleByUUID(const char* uuid, void** device) {
  return std::strcmp(uuid, "GPU-mock") == 0 ? nvmlDeviceGetHandleByIndex_v2(0, device) : 6;
}
int nvmlDeviceGetName(void*, char* name, unsigned bytes) {
  std::strncpy(name, "Mock GPU", bytes);
  return 0;
}
int nvmlDeviceGetMemoryInfo(void*, unsigned long long* total_free_used) {
  total_free_used[0] = 8'000'000'000;
  total_free_used[1] = 5'000'000'000;
  total_free_used[2] = 3'000'000'000;
  return 0;
}
int nvmlDeviceGetPowerUsage(void*, unsigned* milliwatts) {
  *milliwatts = 350'500;
  return 0;
}
int nvmlDeviceGetClockInfo(void*, int clock, unsigned* mhz) {
  if (clock != 1) return 3;
  *mhz = 1980;
  return 0;
}
int nvmlDeviceGetUtilizationRates(void*, unsigned* gpu_memory) {
  gpu_memory[0] = 97;
  gpu_memory[1] = 61;
  return 0;
}
}
