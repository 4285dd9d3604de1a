namespace MLNet.PQCompression.Images.Jpeg;

/// <summary>Turns the decoded components of a frame into an RGB image.</summary>
internal static class JpegOutput
{
    /// <param name="frame">The frame, all scans read.</param>
    /// <param name="space">What its components mean.</param>
    /// <param name="inverted">Whether four-colour samples are stored inverted, as Adobe's are.</param>
    public static RgbImage Render(JpegFrame frame, JpegColorSpace space, bool inverted)
    {
        if (frame.Progressive)
            foreach (JpegComponent component in frame.Components)
                Transform(component);
        ChromaUpsampler[] planes = Array.ConvertAll(frame.Components, c => new ChromaUpsampler(c, frame));
        int width = frame.Width;
        var pixels = new byte[width * frame.Height * 3];
        for (int y = 0; y < frame.Height; y++)
        {
            Span<byte> rgb = pixels.AsSpan(y * width * 3, width * 3);
            ReadOnlySpan<byte> first = planes[0].Read(y)[..width];
            if (space == JpegColorSpace.Grey)
            {
                JpegColor.GreyToRgb(first, rgb);
                continue;
            }
            ReadOnlySpan<byte> second = planes[1].Read(y)[..width], third = planes[2].Read(y)[..width];
            if (space is JpegColorSpace.YCbCr or JpegColorSpace.Ycck)
                JpegColor.YCbCrToRgb(first, second, third, rgb);
            else
                JpegColor.Interleave(first, second, third, rgb);
            if (space == JpegColorSpace.Ycck)
                JpegColor.Complement(rgb);
            if (space is JpegColorSpace.Cmyk or JpegColorSpace.Ycck)
                JpegColor.CmykToRgb(rgb, planes[3].Read(y)[..width], inverted);
        }
        return new(width, frame.Height, pixels);
    }

    private static void Transform(JpegComponent component)
    {
        if (component.Quantization is not { } steps)
            return;
        ReadOnlySpan<byte> zigzag = JpegMarker.ZigZag;
        Span<int> stepsByPlace = stackalloc int[64], block = stackalloc int[64];
        for (int k = 0; k < 64; k++)
            stepsByPlace[zigzag[k]] = steps[k];
        for (int y = 0; y < component.BlocksDown; y++)
            for (int x = 0; x < component.BlocksAcross; x++)
            {
                ReadOnlySpan<short> coefficients = component.Coefficients.AsSpan((y * component.BlockStride + x) * 64, 64);
                for (int i = 0; i < 64; i++)
                    block[i] = coefficients[i] * stepsByPlace[i];
                InverseDct.Transform(block, component.Samples.AsSpan(y * 8 * component.Stride + x * 8), component.Stride);
            }
    }
}
