// The driver's virtual memory: addresses first, memory behind them piece by piece. Stricter than the driver:
// it refuses what the driver's manual forbids, and to unmap while work is queued that may use the memory. A
// kernel that leaves the memory behind reserved addresses crashes, as the host's own pages are what lies
// there.
#include <cuda.h>
#include <cuda_runtime.h>
#include <sys/mman.h>

#include <cstring>
#include <map>
#include <string_view>

#include "tests/cuda_emulation/control.hpp"
#include "tests/cuda_emulation/device_memory.hpp"

namespace cuda_emulation {
namespace {

constexpr std::size_t kGranule = std::size_t{64} << 10;

struct Piece {
  std::size_t bytes = 0;
  bool held = true;  // not released
  bool mapped = false;
};

struct Mapping {
  std::size_t bytes = 0;
  CUmemGenericAllocationHandle piece = 0;
  std::int64_t since = 0;  // operations queued before it was mapped
};

struct Reservation {
  std::size_t bytes = 0;
  std::map<CUdeviceptr, Mapping> mappings;
};

struct VirtualMemory {
  std::map<CUdeviceptr, Reservation> reservations;
  std::map<CUmemGenericAllocationHandle, Piece> pieces;
  CUmemGenericAllocationHandle next_piece = 1;
};

VirtualMemory& memory() {
  static VirtualMemory instance;
  return instance;
}

void* pointer(CUdeviceptr address) {
  return reinterpret_cast<void*>(address);
}

bool whole_granules(std::size_t bytes) {
  return bytes > 0 && bytes % kGranule == 0;
}

// The reservation that the range lies in.
Reservation* reservation_of(CUdeviceptr address, std::size_t bytes) {
  auto& reservations = memory().reservations;
  const auto after = reservations.upper_bound(address);
  if (after == reservations.begin()) return nullptr;
  auto& [start, reservation] = *std::prev(after);
  return address + bytes <= start + reservation.bytes ? &reservation : nullptr;
}

void drop_if_unused(CUmemGenericAllocationHandle handle) {
  const Piece& piece = memory().pieces.at(handle);
  if (piece.held || piece.mapped) return;
  give_back_memory(piece.bytes);
  memory().pieces.erase(handle);
}

}  // namespace

void check_mapped(const void* data, std::size_t bytes) {
  auto address = reinterpret_cast<CUdeviceptr>(data);
  const CUdeviceptr end = address + bytes;
  const Reservation* reservation = reservation_of(address, 1);
  if (reservation == nullptr) return;
  while (address < end) {
    const auto after = reservation->mappings.upper_bound(address);
    if (after == reservation->mappings.begin()) throw Fault("a copy where addresses have no memory");
    const auto& [start, mapping] = *std::prev(after);
    if (address >= start + mapping.bytes) throw Fault("a copy beyond the memory behind reserved addresses");
    address = start + mapping.bytes;
  }
}

}  // namespace cuda_emulation

using namespace cuda_emulation;

CUresult cuMemAddressReserve(CUdeviceptr* address, std::size_t bytes, std::size_t, CUdeviceptr,
                             unsigned long long) {
  const auto lock = lock_device();
  if (!whole_granules(bytes)) return CUDA_ERROR_INVALID_VALUE;
  void* data = mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (data == MAP_FAILED) return CUDA_ERROR_OUT_OF_MEMORY;
  *address = reinterpret_cast<CUdeviceptr>(data);
  memory().reservations[*address].bytes = bytes;
  count_allocation(1);
  return CUDA_SUCCESS;
}

CUresult cuMemAddressFree(CUdeviceptr address, std::size_t bytes) {
  const auto lock = lock_device();
  const auto found = memory().reservations.find(address);
  if (found == memory().reservations.end() || found->second.bytes != bytes || !found->second.mappings.empty())
    return CUDA_ERROR_INVALID_VALUE;
  munmap(pointer(address), bytes);
  memory().reservations.erase(found);
  count_allocation(-1);
  return CUDA_SUCCESS;
}

CUresult cuMemCreate(CUmemGenericAllocationHandle* piece, std::size_t bytes,
                     const CUmemAllocationProp* properties, unsigned long long) {
  const auto lock = lock_device();
  if (!whole_granules(bytes) || properties->type != CU_MEM_ALLOCATION_TYPE_PINNED)
    return CUDA_ERROR_INVALID_VALUE;
  if (const cudaError_t refused = take_memory(bytes); refused != cudaSuccess)
    return static_cast<CUresult>(refused);
  *piece = memory().next_piece++;
  memory().pieces[*piece].bytes = bytes;
  return CUDA_SUCCESS;
}

CUresult cuMemRelease(CUmemGenericAllocationHandle handle) {
  const auto lock = lock_device();
  const auto found = memory().pieces.find(handle);
  if (found == memory().pieces.end() || !found->second.held) return CUDA_ERROR_INVALID_VALUE;
  found->second.held = false;
  drop_if_unused(handle);
  return CUDA_SUCCESS;
}

CUresult cuMemMap(CUdeviceptr address, std::size_t bytes, std::size_t offset,
                  CUmemGenericAllocationHandle handle, unsigned long long) {
  const auto lock = lock_device();
  if (!control().maps_memory) return CUDA_ERROR_NOT_SUPPORTED;
  const auto piece = memory().pieces.find(handle);
  Reservation* reservation = reservation_of(address, bytes);
  if (piece == memory().pieces.end() || piece->second.bytes != bytes || offset != 0 || reservation == nullptr)
    return CUDA_ERROR_INVALID_VALUE;
  const auto after = reservation->mappings.lower_bound(address);
  const bool meets_next = after != reservation->mappings.end() && address + bytes > after->first;
  const bool meets_last = after != reservation->mappings.begin() &&
                          std::prev(after)->first + std::prev(after)->second.bytes > address;
  if (meets_next || meets_last) return CUDA_ERROR_INVALID_VALUE;
  reservation->mappings[address] = {bytes, handle, operations_queued()};
  piece->second.mapped = true;
  return CUDA_SUCCESS;
}

CUresult cuMemUnmap(CUdeviceptr address, std::size_t bytes) {
  const auto lock = lock_device();
  Reservation* reservation = reservation_of(address, bytes);
  if (reservation == nullptr) return CUDA_ERROR_INVALID_VALUE;
  const auto found = reservation->mappings.find(address);
  if (found == reservation->mappings.end() || found->second.bytes != bytes) return CUDA_ERROR_INVALID_VALUE;
  if (work_is_queued() && operations_queued() > found->second.since) return CUDA_ERROR_INVALID_VALUE;
  const CUmemGenericAllocationHandle handle = found->second.piece;
  reservation->mappings.erase(found);
  // Fresh pages in their place, so that nothing of the old content can be read.
  mmap(pointer(address), bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
  memory().pieces.at(handle).mapped = false;
  drop_if_unused(handle);
  return CUDA_SUCCESS;
}

CUresult cuMemSetAccess(CUdeviceptr address, std::size_t bytes, const CUmemAccessDesc* access,
                        std::size_t count) {
  const auto lock = lock_device();
  Reservation* reservation = reservation_of(address, bytes);
  if (reservation == nullptr || count != 1 || access->flags != CU_MEM_ACCESS_FLAGS_PROT_READWRITE)
    return CUDA_ERROR_INVALID_VALUE;
  const auto found = reservation->mappings.find(address);
  if (found == reservation->mappings.end() || found->second.bytes != bytes) return CUDA_ERROR_INVALID_VALUE;
  if (mprotect(pointer(address), bytes, PROT_READ | PROT_WRITE) != 0) return CUDA_ERROR_OUT_OF_MEMORY;
  std::memset(pointer(address), 0xff, bytes);
  return CUDA_SUCCESS;
}

CUresult cuMemGetAllocationGranularity(std::size_t* bytes, const CUmemAllocationProp* properties,
                                       CUmemAllocationGranularity_flags) {
  if (properties->location.type != CU_MEM_LOCATION_TYPE_DEVICE) return CUDA_ERROR_INVALID_VALUE;
  *bytes = kGranule;
  return CUDA_SUCCESS;
}

cudaError_t cudaGetDriverEntryPointByVersion(const char* name, void** function, unsigned, unsigned long long,
                                             cudaDriverEntryPointQueryResult* found) {
  static const std::map<std::string_view, void*> kFunctions = {
      {"cuMemAddressReserve", reinterpret_cast<void*>(&cuMemAddressReserve)},
      {"cuMemAddressFree", reinterpret_cast<void*>(&cuMemAddressFree)},
      {"cuMemCreate", reinterpret_cast<void*>(&cuMemCreate)},
      {"cuMemRelease", reinterpret_cast<void*>(&cuMemRelease)},
      {"cuMemMap", reinterpret_cast<void*>(&cuMemMap)},
      {"cuMemUnmap", reinterpret_cast<void*>(&cuMemUnmap)},
      {"cuMemSetAccess", reinterpret_cast<void*>(&cuMemSetAccess)},
      {"cuMemGetAllocationGranularity", reinterpret_cast<void*>(&cuMemGetAllocationGranularity)},
  };
  const auto entry = kFunctions.find(name);
  const bool known = entry != kFunctions.end() && control().virtual_memory;
  *function = known ? entry->second : nullptr;
  *found = known ? cudaDriverEntryPointSuccess : cudaDriverEntryPointSymbolNotFound;
  return cudaSuccess;
}
