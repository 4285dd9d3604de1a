namespace MLNet.PQCompression.Images;

/// <summary>Turns pixels of the model's size into its input by one table look-up a value: (p/255·range − mean)/std in single precision, less the mean image where there is one.</summary>
internal sealed class PixelNormalizer
{
    private readonly ImagePreprocessing _preprocessing;
    private readonly float[][] _tables;

    public PixelNormalizer(ImagePreprocessing preprocessing)
    {
        preprocessing.Check();
        _preprocessing = preprocessing;
        _tables = new float[preprocessing.Channels][];
        for (int c = 0; c < _tables.Length; c++)
        {
            _tables[c] = new float[256];
            for (int p = 0; p < 256; p++)
                _tables[c][p] = preprocessing.Normalized(p, c);
        }
    }

    /// <param name="pixels">H·W pixels, R, G, B each.</param>
    /// <param name="destination">C×H×W values.</param>
    public void Normalize(ReadOnlySpan<byte> pixels, Span<float> destination)
    {
        int area = _preprocessing.Width * _preprocessing.Height;
        if (destination.Length < _preprocessing.Length)
            throw new ArgumentException($"The destination has room for {destination.Length} values; {_preprocessing.Length} are needed.", nameof(destination));
        pixels = pixels[..(3 * area)];
        for (int c = 0; c < _tables.Length; c++)
        {
            Span<float> plane = destination.Slice(c * area, area);
            Look(pixels, _tables[c], _preprocessing.SourceOf(c), plane);
            _preprocessing.MeanImage?.SubtractFrom(plane, c, _preprocessing.Range / _preprocessing.StdOf(c));
        }
    }

    private void Look(ReadOnlySpan<byte> pixels, float[] table, int source, Span<float> plane)
    {
        if (_preprocessing.Order == ChannelOrder.Grey)
            for (int i = 0; i < plane.Length; i++)
                plane[i] = table[(19595 * pixels[3 * i] + 38470 * pixels[3 * i + 1] + 7471 * pixels[3 * i + 2] + 0x8000) >> 16];
        else if (source == 3)
            plane.Fill(table[255]);
        else
            for (int i = 0, at = source; i < plane.Length; i++, at += 3)
                plane[i] = table[pixels[at]];
    }
}
