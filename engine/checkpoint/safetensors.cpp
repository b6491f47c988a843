#include "engine/checkpoint/safetensors.hpp"

#include <sys/mman.h>

#include <cerrno>
#include <limits>
#include <system_error>

#include "engine/checkpoint/huge_pages.hpp"
#include "engine/checkpoint/regular_file.hpp"

namespace engine {

Result<std::shared_ptr<const SafetensorsFile>> SafetensorsFile::open(const std::filesystem::path& path) {
  auto file = RegularFile::open(path);
  if (!file) return file.error();
  if (file->size() == 0) return bad_input("{}: not a safetensors file: it is empty", path.string());
  if (file->size() > std::numeric_limits<std::size_t>::max() / 2) {
    return bad_input("{}: too large to map ({} bytes)", path.string(), file->size());
  }

  std::shared_ptr<SafetensorsFile> opened(new SafetensorsFile(std::move(*file)));
  opened->path_ = path;
  opened->size_ = static_cast<std::size_t>(opened->file_.size());
  std::byte* mapping = map_aligned(opened->file_.descriptor(), opened->size_);
  if (mapping == nullptr) {
    return failed("{}: cannot be mapped into memory: {}", path.string(),
                  std::generic_category().message(errno));
  }
  opened->mapping_ = mapping;
  ::madvise(mapping, opened->size_, MADV_RANDOM);  // only a hint: a failure costs nothing but time
  auto header = parse_safetensors({mapping, opened->size_}, path.string());
  if (!header) return header.error();
  opened->header_ = std::move(*header);
  return std::shared_ptr<const SafetensorsFile>(std::move(opened));
}

void SafetensorsFile::allow_read_ahead() const {
  ::madvise(mapping_, size_, MADV_NORMAL);
}

void SafetensorsFile::prefer_huge_pages() const {
  std::call_once(moved_, [this] {
    if (affords_huge_pages(size_)) move_to_huge_pages(file_.descriptor(), mapping_, size_);
  });
}

SafetensorsFile::~SafetensorsFile() {
  if (mapping_ != nullptr) ::munmap(mapping_, size_);
}

}  // namespace engine
