namespace MLNet.PQCompression.Images.Jpeg;

/// <summary>Decodes a scan of a sequential frame straight to samples (T.81, F.2).</summary>
internal sealed class SequentialScan
{
    private readonly int[] _block = new int[64];

    public static void Decode(ref JpegBitReader bits, JpegFrame frame, JpegScan scan)
    {
        foreach (JpegComponent component in scan.Components)
            if (component.DcTable is null || component.AcTable is null)
                throw new InvalidImageException(ImageFault.Malformed, $"JPEG: component {component.Id} refers to a Huffman table that is not defined.");
        scan.Walk(ref bits, frame, new SequentialScan().DecodeBlock, static () => { });
    }

    private void DecodeBlock(ref JpegBitReader bits, JpegComponent component, int blockX, int blockY)
    {
        ReadOnlySpan<byte> zigzag = JpegMarker.ZigZag;
        ReadOnlySpan<ushort> steps = component.Quantization;
        HuffmanTable ac = component.AcTable!;
        Span<int> block = _block;

        bits.Ensure();
        int size = bits.Symbol(component.DcTable!);
        if (size > 0)
            component.DcPredictor += bits.Signed(size);
        block[0] = component.DcPredictor * steps[0];

        int last = 0;
        for (int k = 1; k < 64; k++)
        {
            bits.Ensure();
            int value;
            int entry = ac.Coefficients[bits.Peek(HuffmanTable.LookupBits)];
            if (entry != 0)
            {
                bits.Skip(entry & 15);
                k += (entry >> 4) & 15;
                value = entry >> 8;
            }
            else
            {
                int symbol = bits.Symbol(ac);
                size = symbol & 15;
                k += symbol >> 4;
                if (size == 0)
                {
                    if (symbol < 0xF0)
                        break;
                    continue;
                }
                value = bits.Signed(size);
            }
            if (k > 63)
                throw new InvalidImageException(ImageFault.Malformed, "JPEG: a block has more than 64 coefficients.");
            block[zigzag[k]] = value * steps[k];
            last = k;
        }

        int stride = component.Stride;
        Span<byte> samples = component.Samples.AsSpan(blockY * 8 * stride + blockX * 8);
        if (last == 0)
        {
            InverseDct.TransformDc(block[0], samples, stride);
            return;
        }
        InverseDct.Transform(block, samples, stride);
        block.Clear();
    }
}
