namespace MLNet.PQCompression.Images;

/// <summary>Turns and mirrors an image as its EXIF orientation asks.</summary>
internal static class Orientation
{
    /// <summary>Applies an EXIF orientation: 1 upright, 2 mirrored, 3 turned by 180°, 4 flipped, 5 transposed, 6 to be turned clockwise, 7 transversed, 8 to be turned counter-clockwise.</summary>
    public static RgbImage Apply(RgbImage image, int orientation)
    {
        if (orientation is < 2 or > 8)
            return image;
        bool swap = orientation >= 5;
        int width = swap ? image.Height : image.Width, height = swap ? image.Width : image.Height;
        bool fromRight = orientation is 2 or 3 or 7 or 8, fromBottom = orientation is 3 or 4 or 6 or 7;
        byte[] source = image.Pixels, turned = new byte[source.Length];
        int target = 0;
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++, target += 3)
            {
                (int column, int row) = swap ? (y, x) : (x, y);
                if (fromRight)
                    column = image.Width - 1 - column;
                if (fromBottom)
                    row = image.Height - 1 - row;
                source.AsSpan((row * image.Width + column) * 3, 3).CopyTo(turned.AsSpan(target));
            }
        return new(width, height, turned);
    }

    /// <summary>Reads tag 0x0112 of the first directory of an EXIF block (TIFF 6.0); 1 where it is absent or broken, for a wrong orientation is no reason to lose an image.</summary>
    public static int Read(ReadOnlySpan<byte> tiff)
    {
        if (tiff.Length < 8)
            return 1;
        bool little = tiff[0] == 'I';
        long directory = ReadUInt(tiff.Slice(4, 4), little);
        if (directory + 2 > tiff.Length)
            return 1;
        int entries = (int)ReadUInt(tiff.Slice((int)directory, 2), little);
        for (int i = 0; i < entries && directory + 14 + i * 12 <= tiff.Length; i++)
        {
            ReadOnlySpan<byte> entry = tiff.Slice((int)directory + 2 + i * 12, 12);
            if (ReadUInt(entry[..2], little) == 0x0112)
                return (int)ReadUInt(entry.Slice(8, 2), little) is >= 1 and <= 8 and var value ? value : 1;
        }
        return 1;
    }

    private static uint ReadUInt(ReadOnlySpan<byte> bytes, bool little)
    {
        uint value = 0;
        for (int i = 0; i < bytes.Length; i++)
            value = value << 8 | bytes[little ? bytes.Length - 1 - i : i];
        return value;
    }
}
