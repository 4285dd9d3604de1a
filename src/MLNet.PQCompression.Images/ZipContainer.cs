using System.IO.Compression;

namespace MLNet.PQCompression.Images;

/// <summary>The images of a zip archive. Entries are read into memory, never extracted to files; one at a time, since an archive has one stream.</summary>
internal sealed class ZipContainer : IImageContainer
{
    private readonly ZipArchive _archive;
    private readonly Dictionary<string, ZipArchiveEntry> _entries = new(StringComparer.Ordinal);
    private readonly Lock _turn = new();

    /// <exception cref="InvalidDataException">The file is no readable zip archive.</exception>
    public ZipContainer(string path)
    {
        try
        {
            _archive = ZipFile.OpenRead(path);
            foreach (ZipArchiveEntry entry in _archive.Entries)
                _entries.TryAdd(entry.FullName.Replace('\\', '/'), entry);
        }
        catch (Exception e) when (e is InvalidDataException or ArgumentException or NotSupportedException or OverflowException)
        {
            _archive?.Dispose();
            throw new InvalidDataException($"'{path}' is no readable zip archive: {e.Message}", e);
        }
    }

    public IEnumerable<string> Names => _entries.Keys.Where(IImageContainer.IsImage);

    public bool Contains(string name) => _entries.ContainsKey(name);

    public byte[] Read(string name)
    {
        try
        {
            lock (_turn)
            {
                ZipArchiveEntry entry = _entries[name];
                if (entry.IsEncrypted)
                    throw new InvalidImageException(ImageFault.Unreadable, "it is encrypted.");
                using Stream stream = entry.Open();
                return IImageContainer.ReadBounded(stream, entry.Length);
            }
        }
        catch (Exception e) when (e is IOException or InvalidDataException or NotSupportedException or KeyNotFoundException or ArgumentException)
        {
            throw new InvalidImageException(ImageFault.Unreadable, $"it cannot be read from the archive: {e.Message}", e);
        }
    }

    public void Dispose() => _archive.Dispose();
}
