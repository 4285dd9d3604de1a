using System.Runtime.CompilerServices;
using MLNet.PQCompression.Inference.Kernels;

namespace MLNet.PQCompression.Inference.Plan;

/// <summary>The tiles of a 3×3 convolution with a border of one pixel: where they are read and where their outputs go.</summary>
internal sealed unsafe class WinogradTiles<TWinograd>(PlanValue x, PlanValue y, PlanValue? residual)
    where TWinograd : struct, IWinograd
{
    private const int Lanes = PlanValue.Block;

    /// <summary>The positions ξ of a transformed tile.</summary>
    public static int Positions => TWinograd.Inputs * TWinograd.Inputs;

    /// <summary>Tiles of an image.</summary>
    public int PerImage => Rows * Columns;

    private int Rows { get; } = (y.Height + TWinograd.Outputs - 1) / TWinograd.Outputs;

    private int Columns { get; } = (y.Width + TWinograd.Outputs - 1) / TWinograd.Outputs;

    /// <summary>transformed[ξ, 16 channels] = (Bᵀ d B)[ξ] of a tile, rows of <paramref name="stride"/> values apart.</summary>
    /// <param name="workspace">Where the input lies.</param>
    /// <param name="tile">The tile, counted over all images.</param>
    /// <param name="plane">The 16 channels.</param>
    /// <param name="scratch">2·Positions·16 values.</param>
    /// <param name="transformed">Receives the values.</param>
    /// <param name="stride">Distance between the positions.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Transform<TVector>(Workspace workspace, int tile, int plane, float* scratch, float* transformed, nint stride)
        where TVector : struct, IFloatVector<TVector>
    {
        int size = TWinograd.Inputs;
        float* half = scratch, padded = half + Positions * Lanes;
        int step = TWinograd.Outputs * TWinograd.Stride, image = tile / PerImage, row = tile / Columns % Rows * step - 1, column = tile % Columns * step - 1;
        float* source = workspace.Pixel(x, image, plane, row, column);
        nint rowStride = x.RowStride;
        if (row + size > x.Height + x.Border || column + size > x.Width + x.Border)
        {
            CopyPadded(source, row, column, padded);
            source = padded;
            rowStride = size * Lanes;
        }
        for (int lane = 0; lane < Lanes; lane += TVector.Count)
        {
            for (int i = 0; i < size; i++)
                TWinograd.Input<TVector>(source + i * Lanes + lane, rowStride, half + i * Lanes + lane, size * Lanes);
            for (int i = 0; i < size; i++)
                TWinograd.Input<TVector>(half + i * size * Lanes + lane, Lanes, transformed + i * size * stride + lane, stride);
        }
    }

    /// <summary>Finds where the outputs of neighbouring tiles go; returns how many there are, at most as many as asked for.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public int Locate(Workspace workspace, int firstTile, int count, int plane, WinogradPlace* places)
    {
        count = Math.Min(count, workspace.Count * PerImage - firstTile);
        int image = firstTile / PerImage, tileY = firstTile % PerImage / Columns, tileX = firstTile % Columns;
        for (int i = 0; i < count; i++)
        {
            int row = tileY * TWinograd.Outputs, column = tileX * TWinograd.Outputs;
            places[i].Target = workspace.Pixel(y, image, plane, row, column);
            places[i].Residual = residual is null ? null : workspace.Pixel(residual, image, plane, row, column);
            places[i].Rows = Math.Min(TWinograd.Outputs, y.Height - row);
            places[i].Values = Math.Min(TWinograd.Outputs, y.Width - column) * Lanes;
            if (++tileX < Columns)
                continue;
            tileX = 0;
            if (++tileY < Rows)
                continue;
            tileY = 0;
            image++;
        }
        return count;
    }

    /// <summary>A tile that reaches beyond the border, with zeros there.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void CopyPadded(float* source, int row, int column, float* padded)
    {
        int size = TWinograd.Inputs;
        for (int i = 0; i < size; i++)
            for (int j = 0; j < size; j++)
            {
                var target = new Span<float>(padded + (i * size + j) * Lanes, Lanes);
                if ((uint)(row + i) < (uint)x.Height && (uint)(column + j) < (uint)x.Width)
                    new ReadOnlySpan<float>(source + (nint)i * x.RowStride + j * Lanes, Lanes).CopyTo(target);
                else
                    target.Clear();
            }
    }
}

/// <summary>Where the outputs of a tile go, and how many rows and values of a row of it there are.</summary>
internal unsafe struct WinogradPlace
{
    public float* Target, Residual;
    public int Rows, Values;
}
