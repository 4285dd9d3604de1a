using MLNet.PQCompression.Data;

namespace MLNet.PQCompression.Images;

/// <summary>The images of a folder and the folders in it.</summary>
internal sealed class FolderContainer(string root) : IImageContainer
{
    public ContainerListing List(CancellationToken cancellationToken)
    {
        FileTree tree = FileTree.Read(root, cancellationToken);
        return ContainerListing.Of(tree.Files, tree.Folders, tree.LeftOut.Select(f => new SkippedImage(f.Name, f.Reason)));
    }

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
