namespace MLNet.PQCompression.Images;

/// <summary>Decodes PGM and PPM images, as text (P2, P3) and binary (P5, P6), of 8 and 16 bits.</summary>
internal static class PortableMapDecoder
{
    public static RgbImage Decode(ReadOnlySpan<byte> data, ImageDecoderOptions options)
    {
        char kind = (char)data[1];
        if (kind is not ('2' or '3' or '5' or '6'))
            throw new InvalidImageException(ImageFault.Unsupported, $"PNM: the kind P{kind} is not supported; P2, P3, P5 and P6 are.");
        int position = 2;
        int width = ReadNumber(data, ref position), height = ReadNumber(data, ref position), maximum = ReadNumber(data, ref position);
        options.CheckSize("PNM", width, height);
        if (maximum is < 1 or > 65535)
            throw new InvalidImageException(ImageFault.Malformed, $"PNM: the largest value is {maximum}; 1 to 65535 is valid.");
        bool text = kind is '2' or '3';
        int channels = kind is '3' or '6' ? 3 : 1;
        int sampleBytes = text || maximum < 256 ? 1 : 2;
        position++; // the one blank after the header
        long samples = (long)width * height * channels;
        // A sample as text takes a digit and, but for the last, a blank.
        long needed = text ? 2 * samples - 2 : samples * sampleBytes;
        if (needed > data.Length - position)
            throw new InvalidImageException(ImageFault.Truncated, $"PNM: an image of {width}×{height} needs at least {needed} bytes, {Math.Max(0, data.Length - position)} are left.");
        var pixels = new byte[width * height * 3];
        for (int i = 0, target = 0; i < width * height; i++)
            for (int c = 0; c < 3; c++, target++)
                pixels[target] = c < channels ? ReadSample(data, ref position, text, sampleBytes, maximum) : pixels[target - 1];
        return new(width, height, pixels);
    }

    private static byte ReadSample(ReadOnlySpan<byte> data, ref int position, bool text, int sampleBytes, int maximum)
    {
        int value;
        if (text)
            value = ReadNumber(data, ref position);
        else
        {
            value = sampleBytes == 1 ? data[position] : data[position] << 8 | data[position + 1];
            position += sampleBytes;
        }
        if (value > maximum)
            throw new InvalidImageException(ImageFault.Malformed, $"PNM: a sample is {value}; the declared maximum is {maximum}.");
        return maximum == 255 ? (byte)value : (byte)((value * 255L + maximum / 2) / maximum);
    }

    /// <summary>Reads a decimal number after blanks and comments.</summary>
    private static int ReadNumber(ReadOnlySpan<byte> data, ref int position)
    {
        while (position < data.Length && (data[position] is (byte)' ' or (byte)'#' or (>= 9 and <= 13)))
        {
            if (data[position] == '#')
                while (position < data.Length && data[position] is not ((byte)'\n' or (byte)'\r'))
                    position++;
            else
                position++;
        }
        if (position >= data.Length)
            throw new InvalidImageException(ImageFault.Truncated, "PNM: the data ends where a number belongs.");
        int start = position, value = 0;
        while (position < data.Length && data[position] is >= (byte)'0' and <= (byte)'9')
        {
            value = value * 10 + data[position++] - '0';
            if (value > 100_000_000)
                throw new InvalidImageException(ImageFault.Malformed, "PNM: a number is too large.");
        }
        if (position == start)
            throw new InvalidImageException(ImageFault.Malformed, $"PNM: found the byte {data[position]:X2} where a number belongs.");
        return value;
    }
}
