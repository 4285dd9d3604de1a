using System.Buffers.Binary;

namespace MLNet.PQCompression.Images;

/// <summary>The headers of a BMP image: OS/2 1.x (12 bytes) and the Windows ones (40 bytes and more).</summary>
internal sealed record BmpHeader(
    int Width, int Height, bool TopDown, int BitCount, bool IsRle8, int HeaderSize, int PixelOffset,
    int PaletteEntries, int PaletteEntryBytes, uint RedMask, uint GreenMask, uint BlueMask)
{
    private const int Rgb = 0;
    private const int Rle8 = 1;
    private const int BitFields = 3;

    public static BmpHeader Parse(ReadOnlySpan<byte> data, ImageDecoderOptions options)
    {
        if (data.Length < 26)
            throw Truncated(data.Length);
        uint offset = BinaryPrimitives.ReadUInt32LittleEndian(data[10..]), size = BinaryPrimitives.ReadUInt32LittleEndian(data[14..]);
        bool core = size == 12;
        if (!core && size is < 40 or > 256)
            throw new InvalidImageException(ImageFault.Unsupported, $"BMP: a header of {size} bytes is not supported; 12, and 40 to 256, are.");
        if (data.Length < 14 + size)
            throw Truncated(data.Length);
        long width = core ? BinaryPrimitives.ReadUInt16LittleEndian(data[18..]) : BinaryPrimitives.ReadInt32LittleEndian(data[18..]);
        long height = core ? BinaryPrimitives.ReadUInt16LittleEndian(data[20..]) : BinaryPrimitives.ReadInt32LittleEndian(data[22..]);
        options.CheckSize("BMP", width, Math.Abs(height));
        int bits = BinaryPrimitives.ReadUInt16LittleEndian(data[(core ? 24 : 28)..]);
        uint compression = core ? Rgb : BinaryPrimitives.ReadUInt32LittleEndian(data[30..]);
        bool supported = bits switch
        {
            1 or 4 or 24 => compression == Rgb,
            8 => compression is Rgb or Rle8,
            16 or 32 => compression is Rgb or BitFields,
            _ => false,
        };
        if (!supported)
            throw new InvalidImageException(ImageFault.Unsupported, $"BMP: {bits} bits with compression {compression} are not supported.");
        uint declared = core ? 0 : BinaryPrimitives.ReadUInt32LittleEndian(data[46..]);
        int entries = bits > 8 ? 0 : declared == 0 || declared > 1u << bits ? 1 << bits : (int)declared;
        (uint red, uint green, uint blue) = bits == 16 ? (0x7C00u, 0x03E0u, 0x001Fu) : (0xFF0000u, 0x00FF00u, 0x0000FFu);
        if (compression == BitFields)
        {
            // The masks follow a header of 40 bytes and are the next fields of a longer one: the same place.
            if (data.Length < 66)
                throw Truncated(data.Length);
            red = BinaryPrimitives.ReadUInt32LittleEndian(data[54..]);
            green = BinaryPrimitives.ReadUInt32LittleEndian(data[58..]);
            blue = BinaryPrimitives.ReadUInt32LittleEndian(data[62..]);
        }
        return new((int)width, (int)Math.Abs(height), height < 0, bits, compression == Rle8, (int)size,
            (int)Math.Min(offset, int.MaxValue), entries, core ? 3 : 4, red, green, blue);
    }

    private static InvalidImageException Truncated(int length) => new(ImageFault.Truncated, $"BMP: {length} bytes do not hold the header.");
}
