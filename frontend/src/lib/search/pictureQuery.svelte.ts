/** The picture somebody dropped on the search bar; it lives as long as the page. */

class PictureQuery {
  file: File | undefined = $state.raw();
  url = $state('');

  set(file: File | undefined): void {
    if (this.url) URL.revokeObjectURL(this.url);
    this.file = file;
    this.url = file ? URL.createObjectURL(file) : '';
  }
}

export const pictureQuery = new PictureQuery();
