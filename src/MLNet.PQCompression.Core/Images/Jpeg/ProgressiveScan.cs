namespace MLNet.PQCompression.Images.Jpeg;

/// <summary>Decodes a scan of a progressive frame into the components' coefficients (T.81, annex G).</summary>
internal sealed class ProgressiveScan
{
    private readonly JpegScan _scan;
    private int _endOfBandRun;

    private ProgressiveScan(JpegScan scan) => _scan = scan;

    public static void Decode(ref JpegBitReader bits, JpegFrame frame, JpegScan scan)
    {
        bool dc = scan.SpectralStart == 0;
        if (scan.SpectralStart > scan.SpectralEnd || scan.SpectralEnd > 63 || (dc && scan.SpectralEnd != 0) || (!dc && scan.Components.Length != 1)
            || scan.Low > 13 || (scan.High != 0 && scan.High != scan.Low + 1))
            throw new InvalidImageException(ImageFault.Malformed,
                $"JPEG: a progressive scan of coefficients {scan.SpectralStart}-{scan.SpectralEnd}, bits {scan.High}-{scan.Low}, of {scan.Components.Length} component(s) is not allowed.");
        foreach (JpegComponent component in scan.Components)
            if ((dc && scan.High == 0 && component.DcTable is null) || (!dc && component.AcTable is null))
                throw new InvalidImageException(ImageFault.Malformed, $"JPEG: component {component.Id} refers to a Huffman table that is not defined.");

        var decoder = new ProgressiveScan(scan);
        JpegScan.BlockDecoder decode = (dc, scan.High == 0) switch
        {
            (true, true) => decoder.DcFirst,
            (true, false) => decoder.DcRefine,
            (false, true) => decoder.AcFirst,
            (false, false) => decoder.AcRefine,
        };
        scan.Walk(ref bits, frame, decode, () => decoder._endOfBandRun = 0);
    }

    private static Span<short> Block(JpegComponent component, int x, int y) =>
        component.Coefficients.AsSpan((y * component.BlockStride + x) * 64, 64);

    private void DcFirst(ref JpegBitReader bits, JpegComponent component, int x, int y)
    {
        bits.Ensure();
        int size = bits.Symbol(component.DcTable!);
        if (size > 0)
            component.DcPredictor += bits.Signed(size);
        Block(component, x, y)[0] = (short)(component.DcPredictor << _scan.Low);
    }

    private void DcRefine(ref JpegBitReader bits, JpegComponent component, int x, int y)
    {
        if (bits.ReadBit() != 0)
            Block(component, x, y)[0] |= (short)(1 << _scan.Low);
    }

    private void AcFirst(ref JpegBitReader bits, JpegComponent component, int x, int y)
    {
        if (_endOfBandRun > 0)
        {
            _endOfBandRun--;
            return;
        }
        ReadOnlySpan<byte> zigzag = JpegMarker.ZigZag;
        Span<short> block = Block(component, x, y);
        for (int k = _scan.SpectralStart; k <= _scan.SpectralEnd; k++)
        {
            bits.Ensure();
            int symbol = bits.Symbol(component.AcTable!);
            int run = symbol >> 4, size = symbol & 15;
            if (size == 0 && run < 15)
            {
                _endOfBandRun = ReadRun(ref bits, run) - 1;
                return;
            }
            k += run;
            if (size == 0)
                continue;
            if (k > _scan.SpectralEnd)
                throw TooMany();
            block[zigzag[k]] = (short)(bits.Signed(size) << _scan.Low);
        }
    }

    private void AcRefine(ref JpegBitReader bits, JpegComponent component, int x, int y)
    {
        ReadOnlySpan<byte> zigzag = JpegMarker.ZigZag;
        Span<short> block = Block(component, x, y);
        short plus = (short)(1 << _scan.Low), minus = (short)-plus;
        int k = _scan.SpectralStart;
        if (_endOfBandRun == 0)
            for (; k <= _scan.SpectralEnd; k++)
            {
                bits.Ensure();
                int symbol = bits.Symbol(component.AcTable!);
                int run = symbol >> 4, size = symbol & 15;
                short value = 0;
                if (size == 1)
                    value = bits.Read(1) != 0 ? plus : minus;
                else if (size != 0)
                    throw new InvalidImageException(ImageFault.Malformed, $"JPEG: a refinement scan holds a new coefficient of {size} bits; only 1 is valid.");
                else if (run < 15)
                {
                    _endOfBandRun = ReadRun(ref bits, run);
                    break;
                }
                // Steps over `run` zeros, refining the nonzeros in between, to the place of the new coefficient.
                for (; k <= _scan.SpectralEnd; k++)
                {
                    ref short coefficient = ref block[zigzag[k]];
                    if (coefficient != 0)
                        Refine(ref bits, ref coefficient, plus, minus);
                    else if (run-- == 0)
                        break;
                }
                if (value == 0)
                    continue;
                if (k > _scan.SpectralEnd)
                    throw TooMany();
                block[zigzag[k]] = value;
            }
        if (_endOfBandRun == 0)
            return;
        for (; k <= _scan.SpectralEnd; k++)
        {
            ref short coefficient = ref block[zigzag[k]];
            if (coefficient != 0)
                Refine(ref bits, ref coefficient, plus, minus);
        }
        _endOfBandRun--;
    }

    private static void Refine(ref JpegBitReader bits, ref short coefficient, short plus, short minus)
    {
        if (bits.ReadBit() != 0 && (coefficient & plus) == 0)
            coefficient += coefficient > 0 ? plus : minus;
    }

    /// <summary>The blocks, this one included, whose band has ended (T.81, figure G.3).</summary>
    private static int ReadRun(ref JpegBitReader bits, int size) => (1 << size) + (size == 0 ? 0 : bits.Read(size));

    private static InvalidImageException TooMany() => new(ImageFault.Malformed, "JPEG: a band has more coefficients than it declares.");
}
