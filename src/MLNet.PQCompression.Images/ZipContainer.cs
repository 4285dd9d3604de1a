using System.IO.Compression;
using MLNet.PQCompression.Data;

namespace MLNet.PQCompression.Images;

/// <summary>The images of a zip archive. Entries are read into memory, never extracted to files; one at a time, since an archive has one stream.</summary>
internal sealed class ZipContainer : IImageContainer
{
    private readonly ZipArchive _archive;
    private readonly Dictionary<string, ZipArchiveEntry> _entries = new(StringComparer.Ordinal);
    private readonly List<SkippedImage> _leftOut = [];
    private readonly Lock _turn = new();

    /// <exception cref="InvalidDataException">The file is no readable zip archive.</exception>
    public ZipContainer(string path)
    {
        try
        {
            _archive = ZipFile.Open(path, ZipArchiveMode.Read, new ZipNames());
            foreach (ZipArchiveEntry entry in _archive.Entries)
                if (!_entries.TryAdd(entry.FullName.Replace('\\', '/'), entry) && !entry.FullName.EndsWith('/'))
                    _leftOut.Add(new(entry.FullName, "the archive has a second file of this name."));
        }
        catch (Exception e) when (e is InvalidDataException or ArgumentException or NotSupportedException or OverflowException)
        {
            _archive?.Dispose();
            throw new InvalidDataException($"'{path}' is no readable zip archive: {e.Message}", e);
        }
    }

    public ContainerListing List(CancellationToken cancellationToken)
    {
        string[] files = [.. _entries.Keys.Where(n => !n.EndsWith('/'))];
        // An archive may list its folders or not; those that hold files are folders in any case.
        var folders = new HashSet<string>(_entries.Keys.Where(n => n.EndsWith('/')).Select(n => n.TrimEnd('/')), StringComparer.Ordinal);
        foreach (string file in files)
        {
            cancellationToken.ThrowIfCancellationRequested();
            for (int end = file.LastIndexOf('/'); end > 0 && folders.Add(file[..end]);)
                end = file.LastIndexOf('/', end - 1);
        }
        return ContainerListing.Of(files, folders, _leftOut);
    }

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
