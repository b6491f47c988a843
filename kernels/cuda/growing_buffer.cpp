#include "kernels/cuda/growing_buffer.hpp"

#include <cuda.h>
#include <cuda_runtime_api.h>

namespace kernels::cuda {

namespace {

// The driver's functions, found at run time: nothing links libcuda.
struct VirtualMemory {
  decltype(&cuMemAddressReserve) reserve = nullptr;
  decltype(&cuMemAddressFree) free = nullptr;
  decltype(&cuMemCreate) create = nullptr;
  decltype(&cuMemRelease) release = nullptr;
  decltype(&cuMemMap) map = nullptr;
  decltype(&cuMemUnmap) unmap = nullptr;
  decltype(&cuMemSetAccess) set_access = nullptr;
  decltype(&cuMemGetAllocationGranularity) granularity = nullptr;

  bool complete() const {
    return reserve != nullptr && free != nullptr && create != nullptr && release != nullptr &&
           map != nullptr && unmap != nullptr && set_access != nullptr && granularity != nullptr;
  }
};

template <typename Function>
void find(const char* name, Function& function) {
  void* address = nullptr;
  cudaDriverEntryPointQueryResult found{};
  constexpr unsigned kSince = 10020;  // CUDA 10.2 has all of them
  if (cudaGetDriverEntryPointByVersion(name, &address, kSince, cudaEnableDefault, &found) != cudaSuccess ||
      found != cudaDriverEntryPointSuccess) {
    cudaGetLastError();
    return;
  }
  function = reinterpret_cast<Function>(address);
}

VirtualMemory virtual_memory() {
  VirtualMemory memory;
  find("cuMemAddressReserve", memory.reserve);
  find("cuMemAddressFree", memory.free);
  find("cuMemCreate", memory.create);
  find("cuMemRelease", memory.release);
  find("cuMemMap", memory.map);
  find("cuMemUnmap", memory.unmap);
  find("cuMemSetAccess", memory.set_access);
  find("cuMemGetAllocationGranularity", memory.granularity);
  return memory;
}

int selected_device() {
  int device = 0;
  check(cudaGetDevice(&device), "ask which GPU is used");
  return device;
}

CUmemAllocationProp properties_of(int device) {
  CUmemAllocationProp properties{};
  properties.type = CU_MEM_ALLOCATION_TYPE_PINNED;
  properties.location.type = CU_MEM_LOCATION_TYPE_DEVICE;
  properties.location.id = device;
  return properties;
}

std::size_t granule(const VirtualMemory& memory, const CUmemAllocationProp& properties) {
  std::size_t bytes = 0;
  check(memory.granularity(&bytes, &properties, CU_MEM_ALLOC_GRANULARITY_RECOMMENDED),
        "ask for the granularity of memory");
  return bytes;
}

std::size_t round_up(std::size_t bytes, std::size_t granularity) {
  return (bytes + granularity - 1) / granularity * granularity;
}

CUdeviceptr address_of(const std::byte* data) {
  return reinterpret_cast<CUdeviceptr>(data);
}

// Backs reserved addresses with memory, or changes nothing.
CUresult back(const VirtualMemory& memory, CUdeviceptr address, std::size_t bytes,
              const CUmemAllocationProp& properties) {
  CUmemGenericAllocationHandle piece = 0;
  if (const CUresult refused = memory.create(&piece, bytes, &properties, 0); refused != CUDA_SUCCESS)
    return refused;
  const CUresult mapped = memory.map(address, bytes, 0, piece, 0);
  memory.release(piece);  // the mapping keeps it
  if (mapped != CUDA_SUCCESS) return mapped;
  CUmemAccessDesc access{};
  access.location = properties.location;
  access.flags = CU_MEM_ACCESS_FLAGS_PROT_READWRITE;
  const CUresult allowed = memory.set_access(address, bytes, &access, 1);
  if (allowed != CUDA_SUCCESS) memory.unmap(address, bytes);
  return allowed;
}

}  // namespace

// Tried, not only asked: some virtual machines have the functions and refuse what they are for.
bool can_grow() {
  const CUmemAllocationProp properties = properties_of(selected_device());
  const VirtualMemory memory = virtual_memory();
  std::size_t bytes = 0;
  CUdeviceptr address = 0;
  if (!memory.complete() ||
      memory.granularity(&bytes, &properties, CU_MEM_ALLOC_GRANULARITY_RECOMMENDED) != CUDA_SUCCESS ||
      bytes == 0 || memory.reserve(&address, bytes, 0, 0, 0) != CUDA_SUCCESS)
    return false;
  const bool backed = back(memory, address, bytes, properties) == CUDA_SUCCESS;
  if (backed) memory.unmap(address, bytes);
  memory.free(address, bytes);
  return backed;
}

GrowingBuffer::GrowingBuffer(std::size_t reserved_bytes) : device_(selected_device()) {
  if (!can_grow()) {
    whole_ = DeviceBuffer(reserved_bytes);
    data_ = whole_.data();
    reserved_bytes_ = reserved_bytes;
    return;
  }
  const VirtualMemory memory = virtual_memory();
  const std::size_t reserved = round_up(reserved_bytes, granule(memory, properties_of(device_)));
  CUdeviceptr address = 0;
  check(memory.reserve(&address, reserved, 0, 0, 0), "reserve addresses on the GPU");
  data_ = reinterpret_cast<std::byte*>(address);
  reserved_bytes_ = reserved;
}

GrowingBuffer::~GrowingBuffer() {
  if (data_ == nullptr || whole_.data() != nullptr) return;
  const VirtualMemory memory = virtual_memory();
  if (!memory.complete()) return;
  cudaDeviceSynchronize();  // cudaFree waits for the work that may use memory, unmapping does not
  std::size_t offset = 0;
  for (const std::size_t piece : pieces_) {
    memory.unmap(address_of(data_ + offset), piece);
    offset += piece;
  }
  memory.free(address_of(data_), reserved_bytes_);
}

void GrowingBuffer::grow(std::size_t bytes) {
  if (bytes <= bytes_) return;
  if (bytes > reserved_bytes_)
    throw CudaError(cudaErrorMemoryAllocation, "grow beyond the reserved addresses");
  if (whole_.data() != nullptr) {
    bytes_ = bytes;
    return;
  }
  pieces_.reserve(pieces_.size() + 1);
  const VirtualMemory memory = virtual_memory();
  const CUmemAllocationProp properties = properties_of(device_);
  const std::size_t more = round_up(bytes - bytes_, granule(memory, properties));
  check(back(memory, address_of(data_) + bytes_, more, properties), "allocate memory on the GPU");
  pieces_.push_back(more);
  bytes_ += more;
}

GrowingBuffer& GrowingBuffer::operator=(GrowingBuffer&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  std::swap(reserved_bytes_, other.reserved_bytes_);
  std::swap(device_, other.device_);
  std::swap(pieces_, other.pieces_);
  std::swap(whole_, other.whole_);
  return *this;
}

}  // namespace kernels::cuda
