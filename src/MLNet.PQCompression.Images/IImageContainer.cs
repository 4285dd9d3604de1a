using MLNet.PQCompression.Data;

namespace MLNet.PQCompression.Images;

/// <summary>What a folder or an archive holds.</summary>
/// <param name="Images">The names of all images, with / between folders, in no particular order.</param>
/// <param name="Folders">The names of all folders, those without images too.</param>
/// <param name="LeftOut">What looks like an image, or might hold some, and is not read.</param>
internal sealed record ContainerListing(IReadOnlyList<string> Images, IReadOnlyList<string> Folders, IReadOnlyList<SkippedImage> LeftOut)
{
    /// <summary>Sorts names into images, images of formats that are not read, and the rest, which is passed over as are hidden files.</summary>
    public static ContainerListing Of(IEnumerable<string> files, IEnumerable<string> folders, IEnumerable<SkippedImage> leftOut)
    {
        var images = new List<string>();
        var skipped = new List<SkippedImage>(leftOut);
        foreach (string file in files.Where(IsShown))
        {
            string extension = Path.GetExtension(file);
            if (ImageDecoder.FileExtensions.Contains(extension, StringComparer.OrdinalIgnoreCase))
                images.Add(file);
            else if (ImageFormat.UnreadExtensions.Contains(extension, StringComparer.OrdinalIgnoreCase))
                skipped.Add(new(file, $"files of type {extension} are not read; convert it to PNG or JPEG."));
        }
        return new(images, [.. folders.Where(IsShown)], [.. skipped.OrderBy(s => s.Name, StringComparer.Ordinal)]);
    }

    private static bool IsShown(string name) =>
        !name.StartsWith('.') && !name.Contains("/.", StringComparison.Ordinal) && !name.StartsWith("__MACOSX", StringComparison.Ordinal);
}

/// <summary>Where encoded images lie: a folder or an archive. Safe for several threads.</summary>
internal interface IImageContainer : IDisposable
{
    /// <summary>The largest file that is read.</summary>
    const int MaxFileBytes = 256 << 20;

    /// <summary>Lists the images.</summary>
    /// <exception cref="OperationCanceledException">Cancellation was asked for.</exception>
    ContainerListing List(CancellationToken cancellationToken);

    /// <summary>Whether there is a file of this name.</summary>
    bool Contains(string name);

    /// <summary>Reads a file.</summary>
    /// <exception cref="InvalidImageException">It cannot be read or is too large.</exception>
    byte[] Read(string name);

    /// <summary>Reads a stream whose declared length may lie.</summary>
    static byte[] ReadBounded(Stream stream, long declared)
    {
        if (declared > MaxFileBytes)
            throw new InvalidImageException(ImageFault.TooLarge, $"it has {declared} bytes; at most {MaxFileBytes} are read.");
        using var buffer = new MemoryStream((int)Math.Clamp(declared, 0, 1 << 20));
        Span<byte> block = stackalloc byte[8192];
        int read;
        while ((read = stream.Read(block)) > 0)
        {
            if (buffer.Length + read > MaxFileBytes)
                throw new InvalidImageException(ImageFault.TooLarge, $"it has more than {MaxFileBytes} bytes.");
            buffer.Write(block[..read]);
        }
        return buffer.Length == buffer.Capacity ? buffer.GetBuffer() : buffer.ToArray();
    }
}
