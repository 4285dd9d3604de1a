namespace MLNet.PQCompression.Images.Jpeg;

/// <summary>What a scan header says.</summary>
/// <param name="Components">The components of the scan, with their Huffman tables set.</param>
/// <param name="SpectralStart">The first coefficient, in zigzag order.</param>
/// <param name="SpectralEnd">The last coefficient.</param>
/// <param name="High">The bit position of the scan before over the same coefficients, or 0 for a first scan.</param>
/// <param name="Low">The bit position of this scan.</param>
/// <param name="RestartInterval">MCUs between restart markers, or 0.</param>
internal sealed record JpegScan(JpegComponent[] Components, int SpectralStart, int SpectralEnd, int High, int Low, int RestartInterval)
{
    /// <summary>Decodes one block of a component at a place in blocks.</summary>
    public delegate void BlockDecoder(ref JpegBitReader bits, JpegComponent component, int blockX, int blockY);

    /// <summary>Walks the MCUs of the scan (T.81, A.2): interleaved with several components, block by block with one.</summary>
    /// <param name="bits">The entropy-coded data.</param>
    /// <param name="frame">The frame.</param>
    /// <param name="decode">Decodes a block.</param>
    /// <param name="restart">Forgets state at a restart, beside the DC predictors.</param>
    public void Walk(ref JpegBitReader bits, JpegFrame frame, BlockDecoder decode, Action restart)
    {
        JpegComponent? single = Components.Length == 1 ? Components[0] : null;
        int across = single?.BlocksAcross ?? frame.McusAcross, down = single?.BlocksDown ?? frame.McusDown;
        int untilRestart = RestartInterval, restarts = 0;
        Reset(restart);
        for (int y = 0; y < down; y++)
            for (int x = 0; x < across; x++)
            {
                if (RestartInterval > 0 && untilRestart-- == 0)
                {
                    bits.Restart(restarts++ & 7);
                    Reset(restart);
                    untilRestart = RestartInterval - 1;
                }
                if (single is not null)
                    decode(ref bits, single, x, y);
                else
                    foreach (JpegComponent component in Components)
                        for (int v = 0; v < component.Vertical; v++)
                            for (int h = 0; h < component.Horizontal; h++)
                                decode(ref bits, component, x * component.Horizontal + h, y * component.Vertical + v);
                bits.CheckOverrun();
            }
    }

    private void Reset(Action restart)
    {
        foreach (JpegComponent component in Components)
            component.DcPredictor = 0;
        restart();
    }
}
