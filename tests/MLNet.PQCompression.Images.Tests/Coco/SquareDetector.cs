using System.Collections.Immutable;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Tests.Images.Coco;

/// <summary>
/// A detector of the YOLOX family that needs no training: it sees red and green squares of 16×16 pixels, on a grid of 16, in black pictures of 64×64. Its input has 32×32 pixels, so a square is a
/// cell of its finest grid, whose mean colour is what a convolution of 8×8 makes. The coarser grids see nothing.
/// </summary>
internal static class SquareDetector
{
    public const int Side = 64, Square = 16;
    private const int Rows = 7;

    /// <summary>The network: classes 0 red and 1 green; it takes BGR from 0 to 255 as the family does.</summary>
    public static ModelGraph Create()
    {
        var initializers = new Dictionary<string, Initializer>();
        var nodes = ImmutableArray.CreateBuilder<Node>();
        foreach (int stride in (ReadOnlySpan<int>)[8, 16, 32])
        {
            // Rows: centre x and y in the middle of the cell, size e⁰ = 1, objectness, red, green. Blue is channel 0.
            var weight = new float[Rows * 3 * stride * stride];
            for (int i = 0; i < stride * stride; i++)
                foreach ((int row, int channel) in (ReadOnlySpan<(int, int)>)[(4, 1), (4, 2), (5, 2), (6, 1)])
                    weight[(((row * 3) + channel) * stride * stride) + i] = 1f / (255 * stride * stride);
            initializers[$"weight{stride}"] = new DenseTensor(new(Rows, 3, stride, stride), weight);
            initializers[$"bias{stride}"] = new DenseTensor(new(Rows), new float[] { 0.5f, 0.5f, 0, 0, stride == 8 ? 0 : -2, 0, 0 });
            nodes.Add(new($"conv{stride}", new Conv(Window.Square(stride, stride, 0)), ["image", $"weight{stride}", $"bias{stride}"], $"grid{stride}"));
            nodes.Add(new($"clip{stride}", new Clip(0, 1), [$"grid{stride}"], $"clipped{stride}"));
            nodes.Add(new($"cells{stride}", new Reshape([0, Rows, -1]), [$"clipped{stride}"], $"cells{stride}"));
        }
        nodes.Add(new("join", new Concat(2), ["cells8", "cells16", "cells32"], "joined"));
        nodes.Add(new("turn", new Transpose([0, 2, 1]), ["joined"], "output"));
        return new("squares", new("image", new(-1, 3, 32, 32)), [new("output", new(-1, 21, Rows))], nodes.ToImmutable(), initializers);
    }

    /// <summary>A picture with squares at some corners, red ('r') or green ('g'), as PPM.</summary>
    public static byte[] Picture(params ReadOnlySpan<(int X, int Y, char Colour)> squares)
    {
        var pixels = new byte[Side * Side * 3];
        foreach ((int left, int top, char colour) in squares)
            for (int y = top; y < top + Square; y++)
                for (int x = left; x < left + Square; x++)
                    pixels[(3 * ((y * Side) + x)) + (colour == 'r' ? 0 : 1)] = 255;
        return [.. "P6 64 64 255\n"u8, .. pixels];
    }
}
