namespace MLNet.PQCompression.Images;

/// <summary>Where encoded images lie: a folder or an archive. Safe for several threads.</summary>
internal interface IImageContainer : IDisposable
{
    /// <summary>The largest file that is read.</summary>
    const int MaxFileBytes = 256 << 20;

    /// <summary>The names of all images, with / between folders, in no particular order.</summary>
    IEnumerable<string> Names { get; }

    /// <summary>Whether there is a file of this name.</summary>
    bool Contains(string name);

    /// <summary>Reads a file.</summary>
    /// <exception cref="InvalidImageException">It cannot be read or is too large.</exception>
    byte[] Read(string name);

    /// <summary>Whether a name is that of an image: by its extension, and neither it nor a folder of it is hidden.</summary>
    static bool IsImage(string name) =>
        !name.StartsWith('.') && !name.Contains("/.", StringComparison.Ordinal) && !name.StartsWith("__MACOSX/", StringComparison.Ordinal)
        && ImageDecoder.FileExtensions.Contains(Path.GetExtension(name), StringComparer.OrdinalIgnoreCase);

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
