using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MLNet.PQCompression.Distillation.Managed.Kernels;

/// <summary>What all tiles of one sweep over one panel of output channels share.</summary>
internal unsafe struct TileArguments
{
    /// <summary>The panel, [block][tap][channel of the block][16 or 32 output channels], without gaps.</summary>
    public float* Weights;

    /// <summary>One value for each output channel of the panel to start from, or null for zero.</summary>
    public float* Bias;

    /// <summary>Where each tap lies in the packed image, relative to the tile's first pixel.</summary>
    public int* TapOffsets;

    /// <summary>Number of taps.</summary>
    public int Taps;

    /// <summary>Blocks of 16 input channels.</summary>
    public int Blocks;

    /// <summary>Channels that the last block really has.</summary>
    public int LastBlockChannels;

    /// <summary>Distance between blocks in the packed image.</summary>
    public long BlockStride;

    /// <summary>Distance between neighbouring output pixels.</summary>
    public int PixelStride;

    /// <summary>Whether the outputs are added to what is there.</summary>
    public bool Accumulate;
}

/// <summary>The kinds of tiles, by what holds the output channels of a pixel; the values leave room for the number of pixels.</summary>
internal enum TileSet
{
    /// <summary>Two vectors of 512 bits: 32 output channels.</summary>
    Pair = 0,

    /// <summary>One vector of 512 bits: 16 output channels.</summary>
    Single = 32,

    /// <summary>Two vectors of 256 bits: 16 output channels.</summary>
    Halves = 64,
}

/// <summary>
/// The inner kernels of a convolution: y[p][o] = Σ over blocks, taps and channels of x[tap + 16·p + c]·w[c][o], for a run of pixels p in a row and 16 or 32
/// output channels o, all held in registers.
/// </summary>
/// <remarks>
/// Each input value is broadcast and multiplied with vectors of weights, so one weight load serves a whole row of pixels. The packed image keeps 16 channels
/// together and splits a strided image by phase (see <see cref="PackedImage"/>), so neighbouring pixels are always 16 values apart and all addresses are constants.
/// </remarks>
internal static unsafe partial class ConvolutionTiles
{
    private static readonly int[] Pair = [14, 8, 7, 4, 2, 1];
    private static readonly int[] Single = [16, 14, 8, 7, 4, 2, 1];
    private static readonly int[] Halves = [6, 4, 3, 2, 1];

    /// <summary>Cuts a row of <paramref name="width"/> pixels into the tiles that take the least time.</summary>
    public static int[] Cut(int width, TileSet set)
    {
        // A tile of few accumulators waits for the latency of the multiply-add, hence the floor.
        (int[] sizes, int floor) = set switch { TileSet.Pair => (Pair, 4), TileSet.Single => (Single, 8), _ => (Halves, 4) };
        var cost = new double[width + 1];
        var choice = new int[width + 1];
        for (int i = 1; i <= width; i++)
        {
            cost[i] = double.PositiveInfinity;
            foreach (int tile in sizes)
                if (tile <= i && cost[i - tile] + Math.Max(tile, floor) + 0.5 is var total && total < cost[i])
                    (cost[i], choice[i]) = (total, tile);
        }
        var tiles = new List<int>();
        for (int i = width; i > 0; i -= choice[i])
            tiles.Add(choice[i]);
        return [.. tiles];
    }

    /// <summary>Computes one tile.</summary>
    /// <param name="set">The kind of tile.</param>
    /// <param name="pixels">Pixels in the tile, one of those that <see cref="Cut"/> gives.</param>
    /// <param name="a">What the sweep's tiles share.</param>
    /// <param name="x">The tile's first pixel in the packed image.</param>
    /// <param name="y">The tile's first output.</param>
    public static void Compute(TileSet set, int pixels, in TileArguments a, float* x, float* y)
    {
        switch ((int)set + pixels)
        {
            case (int)TileSet.Pair + 14: Tile14x2(a, x, y); break;
            case (int)TileSet.Pair + 8: Tile8x2(a, x, y); break;
            case (int)TileSet.Pair + 7: Tile7x2(a, x, y); break;
            case (int)TileSet.Pair + 4: Tile4x2(a, x, y); break;
            case (int)TileSet.Pair + 2: Tile2x2(a, x, y); break;
            case (int)TileSet.Pair + 1: Tile1x2(a, x, y); break;
            case (int)TileSet.Single + 16: Tile16x1(a, x, y); break;
            case (int)TileSet.Single + 14: Tile14x1(a, x, y); break;
            case (int)TileSet.Single + 8: Tile8x1(a, x, y); break;
            case (int)TileSet.Single + 7: Tile7x1(a, x, y); break;
            case (int)TileSet.Single + 4: Tile4x1(a, x, y); break;
            case (int)TileSet.Single + 2: Tile2x1(a, x, y); break;
            case (int)TileSet.Single + 1: Tile1x1(a, x, y); break;
            case (int)TileSet.Halves + 6: Tile6Halves(a, x, y); break;
            case (int)TileSet.Halves + 4: Tile4Halves(a, x, y); break;
            case (int)TileSet.Halves + 3: Tile3Halves(a, x, y); break;
            case (int)TileSet.Halves + 2: Tile2Halves(a, x, y); break;
            case (int)TileSet.Halves + 1: Tile1Halves(a, x, y); break;
            default: throw new ArgumentOutOfRangeException(nameof(pixels), pixels, $"No tile of the set {set} has that many pixels.");
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(in TileArguments a, float* y, Vector256<float> first, Vector256<float> second)
    {
        if (a.Bias is not null)
        {
            first += Vector256.Load(a.Bias);
            second += Vector256.Load(a.Bias + 8);
        }
        if (a.Accumulate)
        {
            first += Vector256.Load(y);
            second += Vector256.Load(y + 8);
        }
        first.Store(y);
        second.Store(y + 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(in TileArguments a, float* y, Vector512<float> first)
    {
        if (a.Bias is not null)
            first += Vector512.Load(a.Bias);
        if (a.Accumulate)
            first += Vector512.Load(y);
        first.Store(y);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(in TileArguments a, float* y, Vector512<float> first, Vector512<float> second)
    {
        if (a.Bias is not null)
        {
            first += Vector512.Load(a.Bias);
            second += Vector512.Load(a.Bias + 16);
        }
        if (a.Accumulate)
        {
            first += Vector512.Load(y);
            second += Vector512.Load(y + 16);
        }
        first.Store(y);
        second.Store(y + 16);
    }
}
