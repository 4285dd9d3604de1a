namespace MLNet.PQCompression.Detectors;

/// <summary>Where a picture lies in a network's input, so that what is found there can be shown in the picture: x of the input = x of the picture · scale + left.</summary>
/// <param name="Width">The picture's width in pixels.</param>
/// <param name="Height">The picture's height in pixels.</param>
/// <param name="ScaleX">Pixels of the input for one of the picture, along a row.</param>
/// <param name="ScaleY">The same down a column.</param>
/// <param name="Left">Where the picture's left edge lies in the input; negative where it is cropped off.</param>
/// <param name="Top">Where its upper edge lies.</param>
public readonly record struct PicturePlacement(int Width, int Height, double ScaleX, double ScaleY, double Left, double Top)
{
    /// <summary>The picture is the input.</summary>
    public static PicturePlacement Same(int width, int height) => new(width, height, 1, 1, 0, 0);

    /// <summary>A box of the input in the picture, cut off at the picture's edges.</summary>
    public DetectionBox ToPicture(DetectionBox box) => new(X(box.Left), Y(box.Top), X(box.Right), Y(box.Bottom));

    /// <summary>A box of the picture in the input.</summary>
    public DetectionBox ToInput(DetectionBox box) => new((box.Left * ScaleX) + Left, (box.Top * ScaleY) + Top, (box.Right * ScaleX) + Left, (box.Bottom * ScaleY) + Top);

    private double X(double x) => Math.Clamp((x - Left) / ScaleX, 0, Width);

    private double Y(double y) => Math.Clamp((y - Top) / ScaleY, 0, Height);
}
