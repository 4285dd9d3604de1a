namespace MLNet.PQCompression.Images;

/// <summary>The images of a folder and the folders in it.</summary>
internal sealed class FolderContainer(string root) : IImageContainer
{
    /// <summary>Folders in folders; links are followed, and one may lead back.</summary>
    private const int MaxDepth = 16;

    public IEnumerable<string> Names =>
        Directory.EnumerateFiles(root, "*", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = MaxDepth, AttributesToSkip = FileAttributes.System })
            .Select(path => Path.GetRelativePath(root, path).Replace('\\', '/'))
            .Where(IImageContainer.IsImage);

    public bool Contains(string name) => File.Exists(Path.Combine(root, name));

    public byte[] Read(string name)
    {
        try
        {
            using FileStream stream = File.OpenRead(Path.Combine(root, name));
            return IImageContainer.ReadBounded(stream, stream.Length);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new InvalidImageException(ImageFault.Unreadable, $"it cannot be read: {e.Message}", e);
        }
    }

    public void Dispose()
    {
    }
}
