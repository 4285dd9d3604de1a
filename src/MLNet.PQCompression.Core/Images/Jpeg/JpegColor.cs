namespace MLNet.PQCompression.Images.Jpeg;

/// <summary>How the components of a frame make a colour.</summary>
internal enum JpegColorSpace
{
    Grey,
    Rgb,
    YCbCr,
    Cmyk,
    Ycck,
}

/// <summary>Turns rows of components into rows of RGB (JFIF 1.02; 16 fractional bits, rounded as libjpeg rounds).</summary>
internal static class JpegColor
{
    private const int Half = 1 << 15;

    /// <summary>Tells the colour space from the number of components, the markers and the component names, as libjpeg does.</summary>
    public static JpegColorSpace Detect(JpegComponent[] components, bool jfif, int? adobeTransform) => components.Length switch
    {
        1 => JpegColorSpace.Grey,
        3 when jfif => JpegColorSpace.YCbCr,
        3 when adobeTransform is { } transform => transform == 0 ? JpegColorSpace.Rgb : JpegColorSpace.YCbCr,
        3 when components[0].Id == 'R' && components[1].Id == 'G' && components[2].Id == 'B' => JpegColorSpace.Rgb,
        3 => JpegColorSpace.YCbCr,
        4 => adobeTransform == 2 ? JpegColorSpace.Ycck : JpegColorSpace.Cmyk,
        _ => throw new InvalidImageException(ImageFault.Unsupported, $"JPEG: images of {components.Length} components are not supported; 1, 3 and 4 are."),
    };

    public static void GreyToRgb(ReadOnlySpan<byte> grey, Span<byte> rgb)
    {
        for (int x = 0; x < grey.Length; x++)
            rgb[3 * x] = rgb[3 * x + 1] = rgb[3 * x + 2] = grey[x];
    }

    public static void Interleave(ReadOnlySpan<byte> r, ReadOnlySpan<byte> g, ReadOnlySpan<byte> b, Span<byte> rgb)
    {
        g = g[..r.Length];
        b = b[..r.Length];
        for (int x = 0; x < r.Length; x++)
        {
            rgb[3 * x] = r[x];
            rgb[3 * x + 1] = g[x];
            rgb[3 * x + 2] = b[x];
        }
    }

    /// <summary>R = Y + 1.402 Cr, G = Y − 0.344136 Cb − 0.714136 Cr, B = Y + 1.772 Cb, with Cb and Cr less 128.</summary>
    public static void YCbCrToRgb(ReadOnlySpan<byte> luma, ReadOnlySpan<byte> blue, ReadOnlySpan<byte> red, Span<byte> rgb)
    {
        blue = blue[..luma.Length];
        red = red[..luma.Length];
        rgb = rgb[..(3 * luma.Length)];
        for (int x = 0; x < luma.Length; x++)
        {
            int y = luma[x], cb = blue[x] - 128, cr = red[x] - 128;
            rgb[3 * x] = Clamp(y + ((91881 * cr + Half) >> 16));
            rgb[3 * x + 1] = Clamp(y + ((-22554 * cb - 46802 * cr + Half) >> 16));
            rgb[3 * x + 2] = Clamp(y + ((116130 * cb + Half) >> 16));
        }
    }

    /// <summary>Of a row of C, M, Y as RGB and K: each channel becomes (255 − K)·(255 − ink)/255; <paramref name="inverted"/> samples are stored as 255 less themselves, as Adobe's are.</summary>
    public static void CmykToRgb(Span<byte> inks, ReadOnlySpan<byte> black, bool inverted)
    {
        int flip = inverted ? 0xFF : 0;
        for (int x = 0; x < black.Length; x++)
        {
            int white = 255 - (black[x] ^ flip);
            for (int c = 0; c < 3; c++)
                inks[3 * x + c] = Clamp(white - Scale(inks[3 * x + c] ^ flip, white));
        }
    }

    /// <summary>255 less each value: YCCK codes the complement of C, M and Y as YCbCr.</summary>
    public static void Complement(Span<byte> values)
    {
        for (int i = 0; i < values.Length; i++)
            values[i] = (byte)~values[i];
    }

    /// <summary>a·b/255, rounded.</summary>
    private static int Scale(int a, int b)
    {
        int product = a * b + 128;
        return ((product >> 8) + product) >> 8;
    }

    private static byte Clamp(int value) => (byte)Math.Clamp(value, 0, 255);
}
