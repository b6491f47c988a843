#include "kernels/cpu/cpu_features.hpp"

#include <cstdint>

#if defined(__x86_64__)
#include <cpuid.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif
#endif

namespace kernels {

#if defined(__x86_64__)
namespace {

struct Registers {
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
};

Registers cpuid(unsigned leaf, unsigned subleaf) {
  Registers r;
  if (__get_cpuid_count(leaf, subleaf, &r.eax, &r.ebx, &r.ecx, &r.edx) == 0) return {};
  return r;
}

bool bit(unsigned word, int index) {
  return ((word >> index) & 1u) != 0;
}

// XCR0: which register sets the operating system saves.
std::uint64_t saved_registers() {
  std::uint32_t low = 0;
  std::uint32_t high = 0;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (std::uint64_t{high} << 32) | low;
}

// Linux hands out the 8 KiB of tile registers per process, on request.
bool request_tiles() {
#if defined(__linux__) && defined(SYS_arch_prctl)
  constexpr int kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr int kTileData = 18;               // XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

}  // namespace

CpuFeatures detect_cpu_features() {
  constexpr std::uint64_t kAvxState = 0x6;       // XMM, YMM
  constexpr std::uint64_t kAvx512State = 0xe6;   // and opmasks, upper halves, ZMM16-31
  constexpr std::uint64_t kTileState = 0x60000;  // tile configuration and data
  CpuFeatures features;
  const Registers basic = cpuid(1, 0);
  const bool os_saves = bit(basic.ecx, 27);
  if (!os_saves) return features;
  const std::uint64_t saved = saved_registers();
  const Registers extended = cpuid(7, 0);
  const Registers extended1 = cpuid(7, 1);
  const bool fma = bit(basic.ecx, 12);
  const bool f16c = bit(basic.ecx, 29);
  features.avx2 = (saved & kAvxState) == kAvxState && fma && f16c && bit(extended.ebx, 5);
  const bool avx512 =
      bit(extended.ebx, 16) && bit(extended.ebx, 17) && bit(extended.ebx, 30) && bit(extended.ebx, 31);
  features.avx512 = features.avx2 && avx512 && (saved & kAvx512State) == kAvx512State;
  features.avx512_bf16 = features.avx512 && bit(extended1.eax, 5);
  const bool amx = bit(extended.edx, 24) && bit(extended.edx, 22) && (saved & kTileState) == kTileState;
  features.amx_bf16 = features.avx512_bf16 && amx && request_tiles();
  return features;
}

#else

CpuFeatures detect_cpu_features() {
  return {};
}

#endif

}  // namespace kernels
